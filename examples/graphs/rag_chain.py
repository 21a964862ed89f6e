"""A chain that answers from documents: vector store, retriever, prompt, model, parser."""

# pyright: basic, reportMissingImports=false
# LangChain is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import sys

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

TEXTS = (
    "The kettle switches itself off when the water boils.",
    "The kettle has a warranty of two years.",
    "The toaster has a warranty of one year.",
)
PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Answer from these documents only:\n{context}"), ("user", "{query}")]
)


def joined(documents: list[Document]) -> str:
    """Return the documents as text."""
    return "\n".join(document.page_content for document in documents)


def chain():
    """Return the chain, with the documents indexed."""
    # Without the check, the tokenizer is not downloaded at the first use.
    embeddings = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False)
    store = InMemoryVectorStore.from_texts(list(TEXTS), embeddings)
    retriever = store.as_retriever(search_kwargs={"k": 2})
    sources = {"context": retriever | joined, "query": RunnablePassthrough()}
    steps = sources | PROMPT | ChatOpenAI(model="gpt-4o-mini") | StrOutputParser()
    return steps.with_config(run_name="manual")


def main() -> None:
    """Answer one query."""
    query = " ".join(sys.argv[1:]) or "How long is the warranty of the kettle?"
    print(chain().invoke(query))


if __name__ == "__main__":
    main()
