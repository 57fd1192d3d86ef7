# The service in an image: two stages, packages checked by hash, no root, nothing to write to but /tmp.
#
#   docker build --tag muscle-cds .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges ... muscle-cds
#
# docs/deployment.md says what it needs to run. The base is pinned by tag. A release build pins it by digest as well; the
# digest was not looked up here:
#   docker build --build-arg PYTHON_IMAGE=python@sha256:... --tag muscle-cds .
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# Packages first: this layer changes only when requirements/ does. The environment that ships has no pip and no setuptools.
# postgres.txt is runtime.txt and the PostgreSQL driver (psycopg, LGPL: NOTICE), so that one image serves both stores.
COPY requirements/build.txt requirements/postgres.txt requirements/
RUN python -m venv tools \
 && tools/bin/pip install --require-hashes --only-binary :all: --requirement requirements/build.txt \
 && python -m venv --without-pip /opt/muscle-cds \
 && pip --python /opt/muscle-cds/bin/python install --require-hashes --only-binary :all: --requirement requirements/postgres.txt

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY terminology terminology
COPY cards cards
COPY service service
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/muscle-cds/bin/python install --no-deps --no-index dist/*.whl

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/muscle-cds /opt/muscle-cds
# HOME is the one folder that can be written when the root file system is read-only and /tmp is a tmpfs.
ENV PATH=/opt/muscle-cds/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 65532:65532
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["python", "-m", "service.health", "5000"]
# The production profile is the default and refuses to start until MUSCLE_CDS_CONFIG names a file that says who may
# call. In the demo profile the service answers inside its own network only: docker-compose.yml shows how it is reached.
CMD ["muscle-cds", "serve", "--port", "5000"]
