"""A query engine that asks two others, and streams its answer."""

# pyright: basic, reportMissingImports=false
# LlamaIndex is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import sys

from llama_index.core import Document, VectorStoreIndex, get_response_synthesizer
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.tools import QueryEngineTool, ToolMetadata
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

MANUALS = {
    "kettle": ("It switches itself off when the water boils.", "It has a warranty of two years."),
    "toaster": ("It has six levels of heat.", "It has a warranty of one year."),
}


def manual(name: str, llm: OpenAI, embeddings: OpenAIEmbedding) -> QueryEngineTool:
    """Return an engine over one manual."""
    documents = [Document(text=text) for text in MANUALS[name]]
    index = VectorStoreIndex.from_documents(documents, embed_model=embeddings)
    return QueryEngineTool(
        query_engine=index.as_query_engine(llm=llm),
        metadata=ToolMetadata(name=name, description=f"The manual of the {name}."),
    )


def main() -> None:
    """Answer one query."""
    llm = OpenAI(model="gpt-4o-mini")
    embeddings = OpenAIEmbedding(model_name="text-embedding-3-small")
    engine = SubQuestionQueryEngine.from_defaults(
        [manual(name, llm, embeddings) for name in MANUALS],
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm, streaming=True),
        verbose=False,
    )
    response = engine.query(" ".join(sys.argv[1:]) or "Which warranty is longer?")
    for part in response.response_gen:
        print(part, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
