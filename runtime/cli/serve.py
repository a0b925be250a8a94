"""`edgeward serve`: a model for everything that speaks OpenAI's protocol, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import edgeward
from edgeward.errors import OptionError

from .chat import checks_of
from .options import Context, Safety, Threads, given


def serve(
    model: Annotated[
        str | None,
        typer.Argument(help="Name of a pulled pack, or a pack's folder.", metavar="MODEL"),
    ] = None,
    host: Annotated[str, typer.Option(help="Address; any but loopback needs a key.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8080,
    first_token: Annotated[
        float | None, typer.Option(help="Milliseconds to the first visible text.")
    ] = None,
    per_token: Annotated[float | None, typer.Option(help="Milliseconds between tokens.")] = None,
    total: Annotated[float | None, typer.Option(help="Milliseconds to the end.")] = None,
    on_miss: Annotated[str, typer.Option(help="degrade, reject or report.")] = "degrade",
    cost_per_token: Annotated[float | None, typer.Option(help="The most a token may cost.")] = None,
    power_watts: Annotated[
        float | None, typer.Option(help="What the device draws under load, if it cannot tell.")
    ] = None,
    max_active: Annotated[int | None, typer.Option(help="Requests that run at once.")] = None,
    max_queue: Annotated[int | None, typer.Option(help="Requests that wait.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a minute for each client.")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="File of API keys' hashes; given, a key is always needed.")
    ] = None,
    new_key: Annotated[
        str | None, typer.Option(help="Make an API key of this name, print it, and end.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Name by which clients may call this server.")
    ] = None,
    embedder: Annotated[
        str | None, typer.Option(help="An encoder for /v1/embeddings, such as all-minilm-l6-v2.")
    ] = None,
    safety: Safety = None,
    keep_text: Annotated[
        bool, typer.Option(help="Keep prompts and answers with the feedback given to them.")
    ] = False,
    audit: Annotated[bool, typer.Option(help="Keep a line of each request, without text.")] = False,
    threads: Threads = None,
    context: Context = None,
) -> None:
    """Answer over HTTP, in the words of OpenAI's API.

    Examples:

    `edgeward serve smollm2-135m`

    `edgeward serve smollm2-135m --first-token 200 --total 5000`

    `edgeward serve --new-key ada`, then `edgeward serve smollm2-135m --host 0.0.0.0`
    """
    from edgeward.server.keys import add, keys_file
    from edgeward.server.listen import check_installed, listen, log_to_stderr

    if new_key is not None:
        path = keys or keys_file()
        print(add(new_key, path))
        typer.echo(f"Keep it: only its hash was written, to {path}.", err=True)
        return
    if model is None:
        raise OptionError("name a model: `edgeward serve smollm2-135m`.")
    check_installed()  # before a model is loaded and measured
    options = given(
        threads=threads,
        context=context,
        max_active=max_active,
        max_queue=max_queue,
        cost_per_token=cost_per_token,
        power_watts=power_watts,
        keep_text=keep_text,
        audit=audit,
        embedder=embedder,
        safety_checks=checks_of(safety),
    )
    budget = edgeward.Budget(first_token, per_token, total, on_miss)  # type: ignore[arg-type]
    with edgeward.serve(model, latency_budget=budget, **options) as service:
        log_to_stderr()
        typer.echo(
            f"{service.model.info.name} on http://{host}:{port}/v1 (a page at /), Ctrl-C ends.",
            err=True,
        )
        listen(service, host, port, keys=keys, hosts=allow_host, rate=rate)
