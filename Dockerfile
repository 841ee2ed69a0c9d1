# syntax=docker/dockerfile:1
# Two stages: the first installs the locked requirements, the second holds nothing but Python, them and the code.
FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/fourcheck && /opt/fourcheck/bin/pip install --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY pipeline pipeline
COPY sandbox sandbox
COPY configurations configurations
RUN /opt/fourcheck/bin/pip install --no-deps --no-build-isolation . \
    && /opt/fourcheck/bin/pip uninstall --yes hatchling editables pip

FROM python:3.13-slim
# Runs with a read-only root file system: /data is the one place it writes to.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin fourcheck \
    && install -d -o fourcheck -m 0700 /data
COPY --from=build /opt/fourcheck /opt/fourcheck
COPY configurations /etc/fourcheck/configurations
ENV PATH=/opt/fourcheck/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FOURCHECK_HTTP__HOST=0.0.0.0 \
    FOURCHECK_HTTP__PORT=3000 \
    XDG_DATA_HOME=/data \
    FOURCHECK_CONFIGURATIONS=/etc/fourcheck/configurations
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:3000/healthz', timeout=4)"]
ENTRYPOINT ["fourcheck"]
CMD ["serve"]
