# CPU image: poise, its default engine, and nothing that runs as root.
FROM python:3.13-slim-bookworm AS build
COPY . /src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /src

FROM python:3.13-slim-bookworm
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -r /wheels \
    && useradd --create-home --uid 10001 poise
USER poise
WORKDIR /work
ENV POISE_HOME=/home/poise/.cache/poise
ENTRYPOINT ["poise"]
CMD ["--help"]
