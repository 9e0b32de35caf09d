"""Keys of those who serve models."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, secrecy
from penstock.detect.shipped.token import HEX, URL, WORD, named, token
from penstock.detect.value import Detector

MODELS: Final = (
    token("anthropic_key", "Anthropic key", "sk-ant-(?:api|admin|oat|sid|ort)[0-9]{2}-", URL, 20, confidence=0.98),
    token("openrouter_key", "OpenRouter key", "sk-or-v1-", HEX, 32, confidence=0.98),
    Detector(
        "openai_key",
        "OPENAI_KEY",
        # OpenAI's and all that took over its form: Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek, LiteLLM, ...
        r"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{20}",
        check=checks.api_key,
        until=r"(?![0-9A-Za-z_-])",
        confidence=0.95,
        kind="secret",
        what="OpenAI key, and all that took over its form: sk-...",
    ),
    Detector(
        "google_key",
        "GOOGLE_KEY",
        r"(?<![0-9A-Za-z])AIza[0-9A-Za-z_-]{35}",
        check=checks.not_placeholder,
        until=r"(?![0-9A-Za-z_-])",
        confidence=0.97,
        kind="secret",
        what="Google API key (Gemini, Maps, Firebase)",
    ),
    token("huggingface_token", "Hugging Face token", "hf_", WORD, 30, confidence=0.97),
    token("huggingface_org_token", "Hugging Face token of an organisation", "api_org_", WORD, 30),
    token("groq_key", "Groq key", "gsk_", WORD, 40),
    token("xai_key", "xAI key", "xai-", WORD, 60),
    token("replicate_token", "Replicate token", "r8_", WORD, 37),
    token("perplexity_key", "Perplexity key", "pplx-", WORD, 40),
    token("fireworks_key", "Fireworks key", "fw_", WORD, 22, check=secrecy.numbered, confidence=0.85),
    token("together_key", "Together key", "tgp_v1_", URL, 40),
    named("mistral_key", "Mistral key", "[0-9A-Za-z]{32}", "mistral", "mistralai", check=secrecy.undigested),
    named("cohere_key", "Cohere key", "[0-9A-Za-z]{40}", "cohere", "co api key", check=secrecy.undigested),
    named("deepgram_key", "Deepgram key", "[0-9a-f]{40}", "deepgram", "dg client"),
    named(
        "assemblyai_key",
        "AssemblyAI key",
        "[0-9a-f]{32}",
        "assemblyai",
        "assemblyaiclient",
        "assembly ai",
        "aai settings",
        "aai.settings",
    ),
    token("nvidia_key", "NVIDIA API key", "nvapi-", URL, 60),
    token("cerebras_key", "Cerebras key", "csk-", "0-9a-z", 40),
    token("elevenlabs_key", "ElevenLabs key", "sk_", HEX, 48, confidence=0.9),
    token("pinecone_key", "Pinecone key", "pcsk_", "0-9A-Za-z_", 50),
    token("langsmith_key", "LangSmith key", "lsv2_(?:pt|sk)_", "0-9a-f_", 32),
    token("langfuse_key", "Langfuse key", "sk-lf-", "0-9a-f-", 32),
    named(
        "wandb_key",
        "Weights & Biases key",
        "[0-9a-f]{40}|wandb_v1_[0-9A-Za-z_-]{40,90}",
        "wandb",
        "weights & biases",
        "weights and biases",
        alone="wandb_v1_.*",
    ),
    token("voyage_key", "Voyage key", "pa-|al-", URL, 43, check=secrecy.assorted, confidence=0.85),
    token("jina_key", "Jina key", "jina_", "0-9A-Za-z_-", 50),
    token("tavily_key", "Tavily key", "tvly-", URL, 24),
    token("firecrawl_key", "Firecrawl key", "fc-", HEX, 32, confidence=0.9),
    token("runpod_key", "RunPod key", "rpa_", "0-9A-Za-z", 40),
    token("llamacloud_key", "LlamaCloud key", "llx-", WORD, 40),
    token("apify_token", "Apify token", "apify_api_", WORD, 32),
)
