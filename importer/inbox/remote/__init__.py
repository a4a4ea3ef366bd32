"""The folder that files arrive in, at an address: SFTP, S3, GCS."""
