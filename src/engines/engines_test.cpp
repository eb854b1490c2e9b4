#include <gtest/gtest.h>

#include <algorithm>

#include "base/format.hpp"
#include "engines/llama_server.hpp"
#include "engines/store.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::engines {
namespace {

InstalledEngine engine_of(std::string version, std::vector<std::string> features) {
    return {.id = "llama.cpp",
            .version = std::move(version),
            .key = "k",
            .backend = "cpu",
            .cpu_features = std::move(features)};
}

void put(os::TestDir const& dir, std::string const& build, InstalledEngine const& engine) {
    ASSERT_TRUE(os::make_directories(dir / ("engines/llama.cpp/" + build)));
    ASSERT_TRUE(os::atomic_write(dir / ("engines/llama.cpp/" + build + "/engine.json"), encode(engine)));
}

TEST(EngineStore, GivesTheNewestThatRunsHere) {
    os::TestDir dir;
    put(dir, "a", engine_of("9999", {"avx2"}));
    put(dir, "b", engine_of("11434", {"avx2"}));
    put(dir, "c", engine_of("12000", {"avx2", "avx512f"}));
    EngineStore const store{dir.path(), {"avx", "avx2"}};
    EXPECT_EQ(store.find("llama.cpp")->version, "11434");
    EXPECT_EQ(store.list().front().version, "12000");
    EXPECT_EQ(store.find("llama.cpp")->program("llama-server"), dir / "engines/llama.cpp/b/bin/llama-server");
}

TEST(EngineStore, GivesTheBackendsOwnBuildBeforeANewerOne) {
    os::TestDir dir;
    auto vulkan = engine_of("11000", {});
    vulkan.backend = "vulkan";
    put(dir, "a", vulkan);
    put(dir, "b", engine_of("11434", {}));
    EngineStore const store{dir.path(), {}};
    EXPECT_EQ(store.find("llama.cpp", "vulkan")->version, "11000");
    EXPECT_EQ(store.find("llama.cpp", "cpu")->version, "11434");
    EXPECT_EQ(store.find("llama.cpp", "rocm")->version, "11434") << "there is none: the newest";
    EXPECT_EQ(store.find("llama.cpp")->version, "11434");
}

// A disk moved to another box must not crash with an illegal instruction.
TEST(EngineStore, AnotherCpusBuildIsNotUsed) {
    os::TestDir dir;
    put(dir, "c", engine_of("12000", {"avx512f"}));
    EXPECT_NE(EngineStore(dir.path(), {"avx2"}).find("llama.cpp").error().message.find("another CPU"),
              std::string::npos);
}

TEST(EngineStore, HalfInstalledIsNotThere) {
    os::TestDir dir;
    ASSERT_TRUE(os::make_directories(dir / "engines/llama.cpp/x/bin"));
    put(dir, ".build-y", engine_of("1", {}));
    EXPECT_TRUE(EngineStore(dir.path(), {}).list().empty());
    EXPECT_NE(EngineStore(dir.path(), {}).find("llama.cpp").error().message.find("hal0 engine install"),
              std::string::npos);
}

// A power cut, or somebody who tidied up: its sidecar says that it is there, its server can't be started.
TEST(EngineStore, WithoutAProgramItIsNotThere) {
    os::TestDir dir;
    auto engine = engine_of("2", {});
    engine.programs = {"llama-server", "llama-bench"};
    put(dir, "a", engine);
    auto const bin = dir / "engines/llama.cpp/a/bin";
    ASSERT_TRUE(os::make_directories(bin));
    ASSERT_TRUE(os::atomic_write(bin + "/llama-server", "program", 0755));
    EngineStore const store{dir.path(), {}};
    EXPECT_TRUE(store.list().empty());
    EXPECT_EQ(store.find("llama.cpp").error().message,
              "the engine llama.cpp is here, but damaged (" + bin +
                  "/llama-bench is missing); install it with 'hal0 engine install llama.cpp'");
    ASSERT_TRUE(os::atomic_write(bin + "/llama-bench", "program", 0755));
    EXPECT_EQ(store.find("llama.cpp")->programs, engine.programs);
    ASSERT_TRUE(os::atomic_write(bin + "/llama-server", "", 0755));
    EXPECT_NE(store.find("llama.cpp").error().message.find("bin/llama-server is empty"), std::string::npos);
    put(dir, "b", engine_of("1", {}));
    EXPECT_EQ(store.find("llama.cpp")->version, "1") << "an older one that is complete";
}

LaunchRequest request_for(models::Kind kind) {
    LaunchRequest request{.kind = kind,
                          .context = 512,
                          .parallel = 2,
                          .threads = 3,
                          .cache_ram_mib = 0,
                          .device = "cpu",
                          .socket = "/r/w.sock",
                          .key_file = "/r/key"};
    request.model.record.id = "tiny";
    request.model.record.files = {{"t.gguf", {}, ""}};
    request.model.directory = "/m/tiny dir";
    return request;
}

bool has(WorkerSpec const& spec, std::vector<std::string> const& part) {
    return std::search(spec.argv.begin(), spec.argv.end(), part.begin(), part.end()) != spec.argv.end();
}

TEST(Render, IsExplicitInWhatTheEngineWouldGuess) {
    auto const spec = render(engine_of("11434", {}), request_for(models::Kind::Chat)).value();
    EXPECT_TRUE(has(spec, {"--model", "/m/tiny dir/t.gguf"}));
    EXPECT_TRUE(has(spec, {"--ctx-size", "1024", "--parallel", "2", "--threads", "3", "--cache-ram", "0",
                           "--fit", "off"}));
    EXPECT_TRUE(has(spec, {"--host", "/r/w.sock", "--api-key-file", "/r/key"}));
    EXPECT_TRUE(has(spec, {"--ctx-checkpoints", "4"}));
    EXPECT_FALSE(has(spec, {"--embeddings"}));
    EXPECT_EQ(spec.context, 512);
}

TEST(Render, AnEmbeddingsBatchHoldsAWholeText) {
    auto const spec = render(engine_of("11434", {}), request_for(models::Kind::Embed)).value();
    EXPECT_TRUE(has(spec, {"--embeddings", "--batch-size", "512", "--ubatch-size", "512"}));
    EXPECT_TRUE(
        has(render(engine_of("11434", {}), request_for(models::Kind::Rerank)).value(), {"--reranking"}));
}

TEST(Render, TheContextIsNeverMoreThanTheModelKnowsUnlessAsked) {
    auto request = request_for(models::Kind::Embed);
    request.context = 0;
    request.model.record.context_max = 256;
    EXPECT_EQ(render(engine_of("1", {}), request)->context, 256);
    request.model.record.context_max = 131072;
    EXPECT_EQ(render(engine_of("1", {}), request)->context, 4096);
}

TEST(Render, ExtraArgumentsComeLastAndOnce) {
    auto request = request_for(models::Kind::Embed);
    request.extra_args = {"--flash-attn", "on", "-ub", "256"};
    auto const spec = render(engine_of("11434", {}), request).value();
    EXPECT_EQ(spec.argv.back(), "256");
    EXPECT_FALSE(has(spec, {"--ubatch-size"}));
    EXPECT_TRUE(has(spec, {"--batch-size", "512"}));
    EXPECT_EQ(
        spec.arguments.back(),
        (Argument{
            .flag = "-ub", .value = "256", .from = "extra_args", .instead_of = "--ubatch-size 512 (hal0)"}));
    EXPECT_EQ(spec.arguments.front().from, "model");
    EXPECT_EQ(decode_spec(encode(spec)).value(), spec);
}

TEST(Render, WhatThePinnedBuildHasNotIsRefused) {
    auto request = request_for(models::Kind::Chat);
    request.extra_args = {"--no-mmap"};
    auto const refused = render(engine_of("11434", {}), request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Errc::Invalid);
    EXPECT_TRUE(refused.error().message.starts_with(
        "extra_args in its file, for llama.cpp 11434: it has no flag '--no-mmap'"))
        << refused.error().message;
    EXPECT_TRUE(render(engine_of("12000", {}), request)) << "another build may have it";
}

TEST(Render, OnAGpuTheWholeModelIsThere) {
    auto engine = engine_of("11434", {});
    EXPECT_FALSE(has(render(engine, request_for(models::Kind::Chat)).value(), {"--gpu-layers"}));
    for (auto const* backend : {"vulkan", "rocm", "cuda"}) {
        engine.backend = backend;
        auto const spec = render(engine, request_for(models::Kind::Chat)).value();
        EXPECT_TRUE(has(spec, {"--gpu-layers", "all"})) << backend;
        EXPECT_EQ(has(spec, {"--load-mode", "none"}), engine.backend != "cuda") << backend;
    }
}

TEST(Render, ExtraArgumentsDontUndoWhatHal0SaysOrOpenHoles) {
    auto request = request_for(models::Kind::Chat);
    for (auto const* bad : {"--host", "--port", "--api-key", "-m", "--log-file", "--log_file", "--tools=all",
                            "-c", "--parallel", "--agent"}) {
        request.extra_args = {"--seed", "7", bad, "1"};
        auto const spec = render(engine_of("1", {}), request);
        ASSERT_FALSE(spec.ok()) << bad;
        EXPECT_EQ(spec.error().kind, Errc::Invalid);
        EXPECT_NE(spec.error().message.find(format("extra_args in its file must not hold '{}'", bad)),
                  std::string::npos)
            << spec.error().message;
    }
    request.extra_args = {"--seed", "-1", "-b", "512", "--threads-batch", "2", "--no-mmap"};
    EXPECT_TRUE(render(engine_of("1", {}), request).ok());
}

TEST(Render, OtherKindsAreNotItsWork) {
    EXPECT_EQ(render(engine_of("1", {}), request_for(models::Kind::Tts)).error().kind, Errc::Unsupported);
}

TEST(WorkerSpec, ComesBackAsWritten) {
    auto const spec = render(engine_of("11434", {}), request_for(models::Kind::Embed)).value();
    EXPECT_EQ(decode_spec(encode(spec)).value(), spec);
    EXPECT_FALSE(decode_spec("{}").ok());
}

}  // namespace
}  // namespace hal0::engines
