"""``python -m twisted_mail.workers``: how the main process starts a worker. Of no use by hand."""

from twisted_mail.workers.worker import main

if __name__ == "__main__":
    main()
