# The API: the export beside your memberships API, or together with the bundled one. The worker is a Lambda function.
# For a build that never changes by itself, pin the digest: `docker buildx imagetools inspect python:3.13-slim-bookworm`
# shows it, then write python:3.13-slim-bookworm@sha256:... in both lines FROM.
FROM python:3.13-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements/container.txt requirements/
RUN /opt/venv/bin/pip install --no-cache-dir --only-binary :all: --no-deps --require-hashes -r requirements/container.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
# setuptools is in the lock too: installing the project downloads nothing.
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 service \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin service \
    && install --directory --owner=service --group=service /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MEMBERSHIPS_EXPORT_HOST=0.0.0.0 \
    MEMBERSHIPS_EXPORT_PORT=8000 \
    MEMBERSHIPS_EXPORT_DATA_DIR=/data
# By number, so that Kubernetes and others can see that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"MEMBERSHIPS_EXPORT_PORT\"]}/healthz', timeout=2)"]
CMD ["memberships-export", "api"]
