"""Tiny SigLIP and Gemma2 folders as `transformers` writes them, of the sizes of `tiny_config`."""

import json
from pathlib import Path

import torch
from transformers import Gemma2ForCausalLM, SiglipConfig, SiglipModel

from shared.semantic.config import SemanticConfig
from tests.unit.shared.semantic.tiny import tiny_tokenizer


def siglip_folder(folder: Path, config: SemanticConfig) -> Path:
    """Both towers, as on the hub."""
    torch.manual_seed(1)
    vision = config.vision.to_transformers().to_dict() | {"vision_use_head": True}
    text = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "vocab_size": 16,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    return folder


def gemma_folder(folder: Path, config: SemanticConfig) -> Path:
    """Several files with an index, the configuration with the fields of the hub's, and a tokenizer."""
    torch.manual_seed(2)
    model = Gemma2ForCausalLM(config.llm.to_transformers()).bfloat16()
    model.save_pretrained(folder, max_shard_size="40KB")
    path = folder / "config.json"
    given = json.loads(path.read_text())
    given["rope_theta"] = given.pop("rope_parameters")["rope_theta"]  # as older versions wrote it
    given |= {"eos_token_id": [1, 107], "cache_implementation": "hybrid", "hidden_act": "gelu_pytorch_tanh"}
    path.write_text(json.dumps(given))
    tiny_tokenizer().tokenizer.save(str(folder / "tokenizer.json"))
    return folder
