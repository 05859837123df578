# The service in a container, with the models of the package or with your own:
#   docker build --tag malmoi .
#   docker run --rm --publish 8000:8000 malmoi
#   docker run --rm --publish 8000:8000 --volume "$PWD/runs:/models:ro" malmoi /models/klue /models/spacing

FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/malmoi
ENV PATH=/opt/malmoi/bin:$PATH
WORKDIR /src
COPY constraints.txt .
# without CUDA, which is most of what torch weighs; for a GPU leave this line out
RUN pip install torch --index-url https://download.pytorch.org/whl/cpu --constraint constraints.txt
COPY . .
RUN pip install ".[api,fast]" --constraint constraints.txt

FROM python:3.12-slim-bookworm
COPY --from=build /opt/malmoi /opt/malmoi
# a user without a name, who may write to the cache alone
RUN install --directory --owner 10001 --group 10001 /var/cache/malmoi
ENV PATH=/opt/malmoi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/var/cache/malmoi/hub \
    NUMBA_CACHE_DIR=/var/cache/malmoi/numba
USER 10001:10001
# what is compiled for the first text is compiled now
RUN python -c "import malmoi; malmoi.Tagger()('가'); malmoi.Spacer()('가'); malmoi.Classifier()('가')"
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["malmoi", "serve", "--api", "--host", "0.0.0.0", "--port", "8000"]
