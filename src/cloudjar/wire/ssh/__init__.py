"""The server's side of SSH version 2 (RFC 4251 to 4254), as much of it as one terminal needs; bytes in, bytes out."""
