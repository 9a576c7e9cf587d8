"""What trails deliver: files every five minutes, notices, log events."""
