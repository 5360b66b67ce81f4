"""What a text or file is and holds that a person would want to know before it leaves. Pure; counts, no content."""
