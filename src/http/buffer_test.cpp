#include "http/buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hal0::http {
namespace {

TEST(Buffer, GrowsAndKeepsWhatIsInIt) {
    Buffer buffer;
    std::string all;
    for (int i = 0; i < 5000; ++i) {
        buffer.append(std::to_string(i));
        all += std::to_string(i);
    }
    EXPECT_EQ(buffer.view(), all);
    buffer.truncate(5);
    buffer.drop_front(2);
    EXPECT_EQ(buffer.view(), "234");
    Buffer const moved{std::move(buffer)};
    EXPECT_EQ(moved.view(), "234");
}

TEST(Buffer, AReadFillsItsRoom) {
    Buffer buffer;
    buffer.append("ab");
    buffer.reserve(1000);
    ASSERT_EQ(buffer.room(), 998U);
    buffer.end()[0] = 'c';
    buffer.commit(1);
    EXPECT_EQ(buffer.view(), "abc");
}

TEST(ByteQueue, GivesBytesInOrderAndHoldsMemoryOnlyWhileItMust) {
    ByteQueue queue;
    std::string wanted;
    std::string got;
    for (int i = 0; i < 1000; ++i) {
        queue.append(std::to_string(i));
        wanted += std::to_string(i);
        auto const some = queue.view().substr(0, static_cast<std::size_t>(i % 4));
        got += some;
        queue.drop_front(some.size());
    }
    got += queue.view();
    queue.drop_front(queue.size());
    EXPECT_EQ(got, wanted);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.view().data(), nullptr);  // nothing is held
}

}  // namespace
}  // namespace hal0::http
