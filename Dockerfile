# The importer in an image of its own.
#
#     docker build --tag rocketkor-importer .
#     docker run --rm --read-only --tmpfs /tmp --volume runs:/var/lib/importer --volume "$PWD:/data:ro" \
#       rocketkor-importer run /data/customers.csv
#
# It runs as a user without rights and writes to /var/lib/importer and /tmp only. The volume is the memory of what was
# imported: without it nothing is recognised. Credentials come from the environment or from files, never from the image.
#
# Where plans have to be approved, their signatures are checked by the optional group `approval`, and the policy is
# mounted so that user 10001 can read it, and nobody in the container can write it:
#
#     docker build --build-arg LOCK=requirements-optional.lock --tag rocketkor-importer .
#     docker run … --volume /etc/importer/approval.toml:/etc/importer/approval.toml:ro rocketkor-importer nightly …
#
# People sign on machines of their own (importer approve), not in the container.

FROM python:3.13-slim-trixie AS build
# requirements-optional.lock: with all optional groups, such as SFTP, S3, PostgreSQL, Dask, metrics and approvals.
ARG LOCK=requirements.lock
WORKDIR /src
COPY requirements.lock requirements-optional.lock requirements-build.lock ./
RUN python -m venv /opt/importer \
    && /opt/importer/bin/python -m pip install --no-cache-dir --require-hashes -r "$LOCK" \
    && python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY importer ./importer
# The wheel is made with the locked tools, without the network, and installed without asking any index.
RUN /opt/build/bin/hatchling build --target wheel --directory /wheels \
    && /opt/importer/bin/python -m pip install --no-cache-dir --no-index --no-deps /wheels/*.whl \
    && /opt/importer/bin/python -m pip uninstall --yes pip

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/importer --shell /usr/sbin/nologin importer
COPY --from=build /opt/importer /opt/importer
ENV PATH=/opt/importer/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/importer \
    IMPORTER_WORKSPACE=/var/lib/importer/runs \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/importer
VOLUME ["/var/lib/importer"]
HEALTHCHECK --interval=1m --timeout=20s --start-period=10s CMD ["importer", "doctor", "--offline", "--quiet"]
ENTRYPOINT ["importer"]
CMD ["--help"]
