#include "app/data_loop.hpp"

#include <utility>

namespace hal0::app {

Result<std::unique_ptr<DataLoop>> DataLoop::make(World const& world) {
    std::unique_ptr<DataLoop> made{new DataLoop};
    HAL0_TRY(loop, os::Loop::make());
    made->loop_ = std::move(loop);
    HAL0_TRY(inbox, os::Inbox::make(*made->loop_));
    made->inbox_ = std::move(inbox);
    made->gateway_ = std::make_unique<api::Gateway>(api::Gateway::World{.number = world.number,
                                                                        .loop = *made->loop_,
                                                                        .inbox = *made->inbox_,
                                                                        .pool = world.pool,
                                                                        .control = world.control,
                                                                        .admin = world.admin,
                                                                        .records = world.records},
                                                    world.access);
    HAL0_TRY(server, http::Server::make(*made->loop_, world.listeners, *made->gateway_, world.limits));
    made->server_ = std::move(server);
    made->gateway_->attach(*made->server_);
    return made;
}

void DataLoop::start() {
    thread_ = std::make_unique<os::LoopThread>(*loop_, *inbox_);
    thread_->start();
}

void DataLoop::drain(std::function<void()> deaf, std::function<void()> done) {
    inbox_->post([this, deaf = std::move(deaf), done = std::move(done)]() mutable {
        server_->drain([this, done = std::move(done)] {
            gateway_->hand_over_records();
            done();
        });
        deaf();
    });
}

std::int64_t DataLoop::connections() const { return static_cast<std::int64_t>(server_->open_connections()); }

}  // namespace hal0::app
