# The server of one release, as docs/container.md tells. `.ci/image` builds it and tries it out.
#
# A base by its digest makes the same image again: --build-arg BASE=python@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG SOURCE_DATE_EPOCH=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH}
WORKDIR /build
COPY requirements.txt requirements-server.txt ./
RUN python -m venv --without-pip /opt/mlops
RUN python -m pip --python /opt/mlops/bin/python install --quiet --no-compile --only-binary :all: \
    --require-hashes --no-deps --requirement requirements-server.txt
RUN sed -n -E '/^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/,/[^\\]$/p' requirements.txt >tools.txt \
 && python -m pip install --quiet --no-compile --only-binary :all: --require-hashes --no-deps --requirement tools.txt
COPY pyproject.toml README.md ./
COPY mlops_core mlops_core
RUN python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/mlops/bin/python install --quiet --no-compile --no-deps --no-index dist/*.whl
# Nothing imports the tests of others. Bytecode is made here, for nobody writes it later. It is the same whenever it
# is made: by hashes of sources that are never looked at again, by one process, and with sets in one order
RUN find /opt/mlops/lib -type d -name tests -prune -exec rm -r {} + \
 && PYTHONHASHSEED=0 python -m compileall -q --invalidation-mode unchecked-hash /opt/mlops/lib

FROM ${BASE}
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mlops_core server" \
      org.opencontainers.image.description="Serves one release of a model over the Open Inference Protocol" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/mlops /opt/mlops
# A prediction uses one thread. Not told so, scikit-learn asks another program how many processors there are
ENV PATH=/opt/mlops/bin:${PATH} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    MLOPS_HOST=0.0.0.0 MLOPS_LOG_FORMAT=json MLOPS_RELEASE=/opt/ml/model \
    OMP_NUM_THREADS=1
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "mlops_core.serving.address"]
ENTRYPOINT ["mlops"]
CMD ["serve"]
