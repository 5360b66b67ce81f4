"""What leaves: original octets, decision and recipient in, the octets of one copy out. Pure; never touches the body."""
