package main

func aiRules() []rule {
	return []rule{
		{
			id: "openai-key", severity: critical,
			about:    "OpenAI key, or one of the same shape (DeepSeek, OpenRouter, LiteLLM)",
			keywords: []string{"sk-", "sess-"},
			find: token(
				`\b(sk-(?:proj|svcacct|admin|None|or-v1|lf)-[A-Za-z0-9_-]{16,})`,
				`\b(sk-[A-Za-z0-9]{24,})`,
				`\b(sess-[A-Za-z0-9]{40})\b`,
			),
		},
		{
			id: "anthropic-key", severity: critical,
			about:    "Anthropic key",
			keywords: []string{"sk-ant-"},
			find:     token(`\b(sk-ant-[A-Za-z0-9_-]{16,})`),
		},
		{
			id: "huggingface-token", severity: critical,
			about:    "Hugging Face token",
			keywords: []string{"hf_", "api_org_"},
			find:     token(`\b(hf_[A-Za-z0-9]{24,})`, `\b(api_org_[A-Za-z0-9]{30,})`),
		},
		{
			id: "ai-service-key", severity: critical,
			about: "Groq, Replicate, xAI, Perplexity, Cohere, Mistral, NVIDIA, LangSmith or Pinecone key",
			keywords: []string{
				"gsk_", "r8_", "xai-", "pplx-", "nvapi-", "lsv2_", "pcsk_", "cohere", "mistral", "pinecone",
				"tgp_v1_",
			},
			find: either(token(
				`\b(gsk_[A-Za-z0-9]{40,})`,
				`\b(r8_[A-Za-z0-9]{30,})`,
				`\b(xai-[A-Za-z0-9]{60,})`,
				`\b(pplx-[A-Za-z0-9]{40,})`,
				`\b(nvapi-[\w-]{50,})`,
				`\b(lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10})`,
				`\b(pcsk_[A-Za-z0-9_]{40,})`,
				`\b(tgp_v1_[\w-]{30,})`,
			),
				namedValue(`(?:cohere|mistral|pinecone|co)_api_key`, `[A-Za-z0-9]{32,40}|`+uuid)),
		},
	}
}
