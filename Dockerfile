# syntax=docker/dockerfile:1
# Two stages: the first builds a virtual environment from the hash-pinned lock file, the second holds nothing else.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/sekisho
COPY requirements.lock ./
RUN /opt/sekisho/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
RUN /opt/sekisho/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 2525 sekisho \
 && useradd --system --uid 2525 --gid sekisho --home-dir /var/lib/sekisho --no-create-home --shell /usr/sbin/nologin sekisho \
 && install -d -o sekisho -g sekisho -m 0700 /var/lib/sekisho
COPY --from=build /opt/sekisho /opt/sekisho
COPY policies /etc/sekisho/policies
COPY deploy/compose/sekisho.yaml /etc/sekisho/sekisho.yaml
ENV PATH=/opt/sekisho/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER sekisho
WORKDIR /var/lib/sekisho
VOLUME /var/lib/sekisho
EXPOSE 2525 8025
# The root file system may be read-only: everything written goes to /var/lib/sekisho.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8025/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sekisho"]
CMD ["serve", "--config", "/etc/sekisho/sekisho.yaml"]
