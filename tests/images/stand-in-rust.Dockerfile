# Stands in for rust:X.Y-bookworm where no registry can be reached: the same folders, filled from the host (see bases.sh).
FROM debian:bookworm-slim
ENV RUSTUP_HOME=/usr/local/rustup \
    CARGO_HOME=/usr/local/cargo \
    PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates gcc g++ libc6-dev make pkg-config \
 && rm -rf /var/lib/apt/lists/*
ARG TOOLCHAIN
COPY toolchain/ /usr/local/rustup/toolchains/$TOOLCHAIN/
COPY rustup /usr/local/cargo/bin/rustup
RUN for program in cargo rustc rustdoc; do ln -s rustup "/usr/local/cargo/bin/$program"; done \
 && rustup set auto-self-update disable \
 && rustup default "$TOOLCHAIN" \
 && cargo --version
