"""Every API that the gateway speaks; what is not here is refused as unknown."""

from __future__ import annotations

from typing import Final

from penstock.apis.anthropic.messages import AnthropicCount, AnthropicMessages
from penstock.apis.api import Api
from penstock.apis.cohere.chat import CohereChat
from penstock.apis.cohere.embed import CohereEmbed
from penstock.apis.infinity.media import InfinityAudio, InfinityImages
from penstock.apis.koboldcpp.generate import KoboldGenerate, KoboldGenerateStream
from penstock.apis.koboldcpp.media import KOBOLD_IMAGE_LISTS, KoboldImages, KoboldInterrogate, KoboldTranscribe
from penstock.apis.koboldcpp.server import KOBOLDCPP_SERVER
from penstock.apis.kserve.mlserver import MlServerStream
from penstock.apis.kserve.repository import KSERVE_MODELS
from penstock.apis.kserve.triton import Generate
from penstock.apis.kserve.v1 import Predict
from penstock.apis.kserve.v2 import Infer
from penstock.apis.llama_cpp.completion import LlamaCompletion
from penstock.apis.llama_cpp.embedding import LlamaCppEmbedding
from penstock.apis.llama_cpp.infill import LlamaInfill
from penstock.apis.llama_cpp.server import LLAMA_SERVER
from penstock.apis.llama_cpp.tools import LLAMA_CPP_TOOLS
from penstock.apis.lm_studio.chat import LmStudioChat
from penstock.apis.lm_studio.models import LM_STUDIO_MODELS
from penstock.apis.lmdeploy.generate import LmdeployGenerate
from penstock.apis.lmdeploy.server import LMDEPLOY_SERVER
from penstock.apis.localai.diarization import LocalAiDiarization
from penstock.apis.localai.edits import LocalAiEdits
from penstock.apis.localai.server import LOCALAI_SERVER
from penstock.apis.localai.sounds import LocalAiSounds
from penstock.apis.localai.videos import LocalAiVideos
from penstock.apis.ollama.chat import OllamaChat
from penstock.apis.ollama.embed import OllamaEmbed, OllamaEmbeddings
from penstock.apis.ollama.generate import OllamaGenerate
from penstock.apis.ollama.library import OLLAMA_LIBRARY
from penstock.apis.ollama.models import OLLAMA_MODELS, OllamaShow
from penstock.apis.openai.chat import OpenAiChat
from penstock.apis.openai.completions import OpenAiCompletions
from penstock.apis.openai.count import RESPONSES_COUNT
from penstock.apis.openai.embeddings import OpenAiEmbeddings
from penstock.apis.openai.images import OpenAiImageEdits, OpenAiImages
from penstock.apis.openai.models import OPENAI_MODELS
from penstock.apis.openai.moderations import OpenAiModerations
from penstock.apis.openai.responses.api import OpenAiResponses
from penstock.apis.openai.speech import OpenAiSpeech
from penstock.apis.openai.transcriptions import OpenAiTranscriptions
from penstock.apis.openai.translations import OpenAiTranslations
from penstock.apis.openvino.server import OPENVINO_SERVER
from penstock.apis.several.decisions import Decisions
from penstock.apis.several.health import HEALTH
from penstock.apis.several.metrics import METRICS
from penstock.apis.several.rerank import Rerank
from penstock.apis.several.sagemaker import SagemakerInvocations
from penstock.apis.several.tokenize import CHAT_TOKENIZE, Detokenize, Tokenize, TokenizeInputs, TokenStrings
from penstock.apis.several.vertex import VertexPredict
from penstock.apis.sglang.encode import SglangEncode
from penstock.apis.sglang.generate import SglangGenerate
from penstock.apis.sglang.server import SGLANG_SERVER
from penstock.apis.sglang.text import SglangText
from penstock.apis.tabby.server import TABBY_SERVER
from penstock.apis.tei.embed import TeiEmbed
from penstock.apis.tgi.generate import TgiGenerate, TgiGenerateStream
from penstock.apis.tgi.info import TGI_INFO
from penstock.apis.torchserve.models import TORCHSERVE_MODELS
from penstock.apis.torchserve.predictions import Predictions
from penstock.apis.transformers.server import TRANSFORMERS_SERVER
from penstock.apis.vllm.generate import VllmGenerate
from penstock.apis.vllm.pooling import VllmPooling
from penstock.apis.vllm.render import RENDERS, VllmDerender
from penstock.apis.vllm.server import VLLM_SERVER
from penstock.apis.xinference.models import XINFERENCE_MODELS
from penstock.apis.xinference.ocr import XinferenceOcr
from penstock.apis.xinference.videos import XinferenceVideos

APIS: Final[tuple[Api, ...]] = (
    OpenAiChat(),
    OpenAiCompletions(),
    OpenAiResponses(),
    RESPONSES_COUNT,
    OPENAI_MODELS,
    OllamaChat(),
    OllamaGenerate(),
    OllamaShow(),
    OLLAMA_MODELS,
    AnthropicMessages(),
    AnthropicCount(),
    CohereChat(),
    CohereEmbed(),
    LmStudioChat(),
    HEALTH,
    METRICS,
    OLLAMA_LIBRARY,
    LLAMA_SERVER,
    VLLM_SERVER,
    SGLANG_SERVER,
    TGI_INFO,
    LM_STUDIO_MODELS,
    LMDEPLOY_SERVER,
    TABBY_SERVER,
    LOCALAI_SERVER,
    KOBOLDCPP_SERVER,
    OPENVINO_SERVER,
    TRANSFORMERS_SERVER,
    XINFERENCE_MODELS,
    OpenAiEmbeddings(),
    OpenAiModerations(),
    OllamaEmbed(),
    OllamaEmbeddings(),
    LlamaCppEmbedding(),
    LLAMA_CPP_TOOLS,
    InfinityImages(),
    InfinityAudio(),
    Rerank(),
    TeiEmbed(),
    Tokenize(),
    TokenizeInputs(),
    Detokenize(),
    TokenStrings(),
    CHAT_TOKENIZE,
    Decisions(),
    VllmPooling(),
    VllmGenerate(),
    *RENDERS,
    VllmDerender(),
    SglangEncode(),
    SglangText(),
    OpenAiTranscriptions(),
    OpenAiTranslations(),
    OpenAiSpeech(),
    OpenAiImages(),
    OpenAiImageEdits(),
    LocalAiSounds(),
    LocalAiDiarization(),
    LocalAiVideos(),
    XinferenceVideos(),
    XinferenceOcr(),
    KoboldImages(),
    KoboldInterrogate(),
    KoboldTranscribe(),
    KOBOLD_IMAGE_LISTS,
    Predict(),
    Infer(),
    Generate(),
    MlServerStream(),
    KSERVE_MODELS,
    Predictions(),
    TORCHSERVE_MODELS,
    LlamaCompletion(),
    LlamaInfill(),
    TgiGenerate(),
    TgiGenerateStream(),
    SglangGenerate(),
    LmdeployGenerate(),
    KoboldGenerate(),
    KoboldGenerateStream(),
    LocalAiEdits(),
    SagemakerInvocations(),
    VertexPredict(),
)
