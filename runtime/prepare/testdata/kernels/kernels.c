// Kernels whose loops are as small as a compiler makes them.
typedef unsigned u;
typedef unsigned char b;
#define export(name) __attribute__((export_name(#name)))

static b block[1 << 16];
static u words[1 << 14];

export(spin) u spin(u n) { // nothing but the loop
	u i = 0;
	do {
		__asm__ volatile("" : "+r"(i));
	} while (++i < n);
	return i;
}

export(fib) __attribute__((noinline)) u fib(u n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static __attribute__((noinline)) u mix(u a, u b) { return a * 31 ^ b >> 3; }
static __attribute__((noinline)) u deep(u a, u b) { return mix(b, mix(a, b)) + 1; }

export(leaf) u leaf(u n) {
	u s = 0;
	for (u i = 0; i < n; i++)
		s = mix(s, i);
	return s;
}

export(calls) u calls(u n) {
	u s = 0;
	for (u i = 0; i < n; i++)
		s = deep(s, i);
	return s;
}

export(sum) u sum(u n) {
	u s = 0;
	for (u k = 0; k < n; k++)
		for (u i = 0; i < sizeof block; i++)
			s = s * 31 + block[i];
	return s;
}

static const u K[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5};
#define R(x, n) ((x) >> (n) | (x) << (32 - (n)))

export(sha256) u sha256(u n) {
	u h[8] = {1, 2, 3, 4, 5, 6, 7, 8}, w[64];
	for (u k = 0; k < n; k++)
		for (b *p = block; p < block + sizeof block; p += 64) {
			for (u i = 0; i < 16; i++)
				w[i] = p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
			for (u i = 16; i < 64; i++)
				w[i] = w[i - 16] + (R(w[i - 15], 7) ^ R(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
				       (R(w[i - 2], 17) ^ R(w[i - 2], 19) ^ w[i - 2] >> 10);
			u a[8];
			for (u i = 0; i < 8; i++)
				a[i] = h[i];
			for (u i = 0; i < 64; i++) {
				u t = a[7] + (R(a[4], 6) ^ R(a[4], 11) ^ R(a[4], 25)) + ((a[4] & a[5]) ^ (~a[4] & a[6])) + K[i] + w[i];
				u s = (R(a[0], 2) ^ R(a[0], 13) ^ R(a[0], 22)) + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
				a[7] = a[6], a[6] = a[5], a[5] = a[4], a[4] = a[3] + t;
				a[3] = a[2], a[2] = a[1], a[1] = a[0], a[0] = t + s;
			}
			for (u i = 0; i < 8; i++)
				h[i] += a[i];
		}
	return h[0];
}

static void quick(u *a, int n) {
	while (n > 1) {
		u p = a[n / 2];
		int i = 0, j = n - 1;
		for (;; i++, j--) {
			while (a[i] < p)
				i++;
			while (a[j] > p)
				j--;
			if (i >= j)
				break;
			u t = a[i];
			a[i] = a[j], a[j] = t;
		}
		quick(a, i);
		a += i, n -= i;
	}
}

export(sort) u sort(u n) {
	for (u k = 0; k < n; k++) {
		for (u i = 0, x = 1; i < 1 << 14; i++)
			words[i] = x = x * 1664525 + 1013904223;
		quick(words, 1 << 14);
	}
	return words[0];
}

// tokens counts what a JSON parser would: strings, numbers, depth.
export(tokens) u tokens(u n) {
	static const char text[] = "{\"name\": \"bee\", \"n\": [1, 2, 3.5e7], \"ok\": true, \"s\": \"a\\\"b\"} ";
	u count = 0;
	for (u i = 0; i < sizeof block; i++)
		block[i] = text[i % (sizeof text - 1)];
	for (u k = 0; k < n; k++)
		for (u i = 0, depth = 0; i < sizeof block; i++)
			switch (block[i]) {
			case '{': case '[': depth++; break;
			case '}': case ']': depth--; count += depth; break;
			case '"':
				for (i++; i < sizeof block && block[i] != '"'; i++)
					if (block[i] == '\\')
						i++;
				count++;
				break;
			case '0' ... '9':
				while (i + 1 < sizeof block && (block[i + 1] >= '0' && block[i + 1] <= '9' || block[i + 1] == '.' || block[i + 1] == 'e'))
					i++;
				count++;
			}
	return count;
}

export(matrix) u matrix(u n) {
	static volatile float a[64][64];
	static float c[64][64];
	for (u k = 0; k < n; k++)
		for (u i = 0; i < 64; i++)
			for (u j = 0; j < 64; j++) {
				float s = 0;
				for (u l = 0; l < 64; l++)
					s += a[i][l] * a[l][j];
				c[i][j] = s;
			}
	return (u)c[1][1];
}
