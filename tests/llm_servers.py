"""Two real servers that speak the protocols of language models: one runs a tiny llama, one follows a script."""

import json
import select
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CITED_SENTENCES = r"""
root ::= sentence " " sentence
sentence ::= ("Rates were held" | "The bank waited") " [" [1-4] "]."
"""
RESET = object()


@dataclass(frozen=True)
class Says:
    """A flawless answer in pieces, in the protocol that was asked for."""

    pieces: Sequence[str]
    seconds_between: float = 0


@dataclass(frozen=True)
class Sends:
    """Exactly these bytes; a number is a rest in seconds, RESET breaks the connection."""

    steps: Sequence[bytes | float | object]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"


@dataclass(frozen=True)
class Raw:
    """These bytes in place of a whole HTTP response."""

    steps: Sequence[bytes | float | object]


Reply = Says | Sends | Raw


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ScriptedServer(ThreadingHTTPServer):
    """Answers with one item of its script after the other, the last one again and again, and remembers what it saw."""

    daemon_threads = True

    def __init__(self, script: Sequence[Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.requests: list[Request] = []
        self.left = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_reply(self) -> Reply:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def scripted_server(*script: Reply) -> Iterator[ScriptedServer]:
    with ScriptedServer(script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def openai_event(content: str | None = None, *, finish: str | None = None, **delta: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish}
    event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(event)}\n\n".encode()


def ollama_line(content: str | None = None, *, done: bool = False, **message: Any) -> bytes:
    line = {"model": "m", "message": {"role": "assistant", "content": content, **message}, "done": done}
    return f"{json.dumps(line)}\n".encode()


OPENAI_END = openai_event(finish="stop") + b"data: [DONE]\n\n"
OLLAMA_END = ollama_line("", done=True)


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(Request(self.path, dict(self.headers), body))
        reply = self.server.next_reply()
        self.close_connection = True
        try:
            if isinstance(reply, Raw):
                self._follow(reply.steps)
            else:
                self._respond(self._speak(reply, body) if isinstance(reply, Says) else reply)
        except OSError:
            self.server.left.set()

    def log_message(self, *_: object) -> None:
        pass

    def _respond(self, reply: Sends) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._follow(reply.steps)

    def _speak(self, says: Says, body: dict[str, Any]) -> Sends:
        openai = self.path == "/v1/chat/completions"
        if not body.get("stream"):
            return _speak_at_once("".join(says.pieces), openai=openai)
        event, end = (openai_event, OPENAI_END) if openai else (ollama_line, OLLAMA_END)
        steps: list[bytes | float] = []
        for piece in says.pieces:
            steps += [event(piece), says.seconds_between]
        return Sends([*steps, end], content_type="text/event-stream" if openai else "application/x-ndjson")

    def _follow(self, steps: Sequence[bytes | float | object]) -> None:
        for step in steps:
            if step is RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            if isinstance(step, bytes):
                self.wfile.write(step)
            elif isinstance(step, int | float):
                self._rest(step)

    def _rest(self, seconds: float) -> None:
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable and not self.connection.recv(1, socket.MSG_PEEK):
            raise ConnectionAbortedError


def _speak_at_once(text: str, *, openai: bool) -> Sends:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    body = whole if openai else {"model": "m", "message": message, "done": True}
    return Sends([json.dumps(body).encode()], content_type="application/json")


@contextmanager
def tiny_llama(folder: Path, grammar: str = CITED_SENTENCES) -> Iterator[str]:
    """Serve a tiny random llama by llama.cpp; the grammar lets it write nothing but cited sentences."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(_write_llama(folder / "tiny.gguf"))
    parameters.n_ctx = 8192
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.warmup = False
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = _free_port()
    parameters.sampling.grammar = xllamacpp.CommonGrammar(1, grammar.strip())  # 1 is a grammar of the user
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_llama(path: Path) -> Path:
    import gguf

    tokens, merges = _train_tokens()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(8192)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (len(tokens) - 3))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:")
    _add_weights(writer, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _train_tokens() -> tuple[list[str], list[str]]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["Rates were held in March [1]. The bank waited."], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = model["vocab"]
    return sorted(vocabulary, key=vocabulary.__getitem__), [" ".join(pair) for pair in model["merges"]]


def _add_weights(writer: Any, vocabulary: int) -> None:
    import numpy as np

    random = np.random.default_rng(0)
    shapes = {"token_embd": (vocabulary, 32), "output": (vocabulary, 32)}
    shapes |= {f"blk.0.attn_{name}": (32, 32) for name in ("q", "k", "v", "output")}
    shapes |= {f"blk.0.ffn_{name}": (32, 32) for name in ("gate", "up", "down")}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (random.standard_normal(shape) * 0.05).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(32, np.float32))
