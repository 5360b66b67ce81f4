"""What has to be looked up elsewhere: the DNS so far. Answers are bounded, and "no answer" is never taken for "no"."""
