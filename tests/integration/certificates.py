"""Certificates and other secrets for tests."""

import subprocess

from support import program


def secret(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def make_certificates(directory):
    """A CA, and certificates of it for `localhost` and for a client."""
    def openssl(*arguments):
        subprocess.run([program("openssl"), *arguments], check=True, capture_output=True,
                       cwd=directory)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name, subject in (("server", "/CN=localhost"), ("client", "/CN=rivulet")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                f"{name}-key.pem", "-out", f"{name}.csr", "-subj", subject)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "names")
