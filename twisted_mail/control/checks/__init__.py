"""What ``twisted-mail check`` looks at, a file for each subject."""
