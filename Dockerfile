# One image for web, worker, beat and the migrations. docker-compose.yml shows how they are started.
FROM python:3.11-slim-bookworm AS packages
COPY requirements/production.txt /production.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /production.txt

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# Production settings, because their file names carry a hash of the content; no value of this file stays behind.
RUN set -a && . ./.ci/production.env && python manage.py collectstatic --noinput --verbosity 0 \
    && useradd --system --no-create-home cagolab \
    && install -d -o cagolab -m 0700 /exports
USER cagolab
EXPOSE 8000
CMD ["gunicorn", "--bind", "0.0.0.0:8000"]
