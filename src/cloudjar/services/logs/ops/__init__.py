"""Operations of CloudWatch Logs, by noun."""
