#pragma once
// Embeddings that mean just enough for a test: each word has a fixed random direction, a text is the
// normalised sum of its words, so texts that share words are near each other and the same text always gives
// the same vector.
#include <string>
#include <string_view>
#include <vector>

namespace fake {

std::vector<float> embed(std::string_view text, long dims);
double dot(std::vector<float> const& a, std::vector<float> const& b);
std::string base64(
    std::vector<float> const& values);  // of the little-endian floats, as OpenAI's encoding_format

// A token is up to three bytes of whole code points (or one of four), and its id is those bytes: so text to
// tokens and back is exact without a vocabulary.
struct Token {
    long id{0};
    std::string piece{};
};
std::vector<Token> tokenize(std::string_view text);
std::string piece_of(long id);

}  // namespace fake
