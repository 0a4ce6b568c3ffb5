# syntax=docker/dockerfile:1
# The server: `docker build -t hippocortex .`; docs/server.md says how to run it.

FROM python:3.12-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_CACHE_DIR=/var/cache/uv UV_PROJECT_ENVIRONMENT=/opt/hippocortex
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY packages ./packages
# What is locked, and nothing of the development environment; the packages themselves, not links to them.
RUN --mount=type=cache,target=/var/cache/uv \
    uv sync --locked --no-dev --no-editable --package hippocortex --extra server

FROM python:3.12-slim
LABEL org.opencontainers.image.title="Hippocortex" \
      org.opencontainers.image.description="A memory for AI agents that learns from experience" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 hippocortex \
    && useradd --system --uid 10001 --gid hippocortex --home-dir /data --shell /usr/sbin/nologin hippocortex \
    && install --directory --owner=hippocortex --group=hippocortex --mode=0700 /data
COPY --from=build /opt/hippocortex /opt/hippocortex
ENV PATH=/opt/hippocortex/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HIPPOCORTEX_STORE=sqlite:////data/memory.db \
    HIPPOCORTEX_HOST=0.0.0.0 \
    HIPPOCORTEX_PORT=8377
USER hippocortex
WORKDIR /data
VOLUME /data
EXPOSE 8377
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"HIPPOCORTEX_PORT\"]}/v1/health', timeout=5)"]
ENTRYPOINT ["hippocortex"]
CMD ["serve"]
