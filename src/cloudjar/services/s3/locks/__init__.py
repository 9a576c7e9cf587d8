"""Object Lock: retention, legal hold, default retention."""
