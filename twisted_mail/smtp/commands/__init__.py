"""The commands of SMTP, a file for each that needs one."""
