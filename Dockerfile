# Judges a target from a container that writes nothing but the report, as a user who may do nothing else:
#
#   docker build -t rampcheck .
#   mkdir -p report && docker run --rm --read-only --tmpfs /tmp --user "$(id -u)" -e PROOF_CLIENT_TOKEN \
#     -v "$PWD/sandbox.yaml:/data/profile.yaml:ro" -v "$PWD/report:/data/report" rampcheck
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/rampcheck && /opt/rampcheck/bin/pip install --no-cache-dir -c /source/constraints.txt /source

FROM python:3.13-slim
COPY --from=build /opt/rampcheck /opt/rampcheck
ENV PATH=/opt/rampcheck/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /data
USER 65534:65534
ENTRYPOINT ["rampcheck"]
CMD ["run", "profile.yaml", "--output", "report"]
