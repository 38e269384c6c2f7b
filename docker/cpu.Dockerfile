# An image in which a study can be reproduced on processors, from the same lock as `make setup`.
#
#   docker build -f docker/cpu.Dockerfile -t oncotrail:cpu .
#   docker run --rm -v "$PWD:/study" oncotrail:cpu oncotrail repro
FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install --yes --no-install-recommends git make \
 && rm -rf /var/lib/apt/lists/* \
 && git config --system --add safe.directory /study

WORKDIR /opt/oncotrail
COPY Makefile pyproject.toml requirements.lock README.md LICENSE ./
COPY src ./src
RUN make setup VENV=/opt/venv && rm -rf /root/.cache

# What runs is the mounted repository, not the copy that the environment was made with.
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/study/src
WORKDIR /study
CMD ["oncotrail", "--help"]
