#pragma once
// What a client is told when the worker behind its model fails before it answered: in the same words whether
// the relay asked the worker or another of our rooms did.
#include "http/server.hpp"

namespace hal0::http::worker_errors {

inline constexpr OwnError unreachable{502, "worker_unreachable",
                                      "the worker of this model can't be reached, it may just have stopped; "
                                      "send the request again, and look into "
                                      "the worker's log if this stays so"};
inline constexpr OwnError died{502, "worker_died",
                               "the worker of this model ended before it had answered; send the request "
                               "again, and look into the worker's "
                               "log if it ends again"};
inline constexpr OwnError bad_answer{
    502, "worker_bad_answer",
    "what the worker of this model sent is not the answer it should be; look into its log"};
inline constexpr OwnError silent{
    504, "worker_silent",
    "the worker of this model said nothing for too long; ask for less at once, or "
    "see whether it hangs"};

}  // namespace hal0::http::worker_errors
