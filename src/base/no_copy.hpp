#pragma once
// Resources have an identity: neither copied nor moved.
namespace hal0 {

class NoCopy {
  public:
    NoCopy() = default;
    NoCopy(NoCopy const&) = delete;
    NoCopy& operator=(NoCopy const&) = delete;
    NoCopy(NoCopy&&) = delete;
    NoCopy& operator=(NoCopy&&) = delete;

  protected:
    ~NoCopy() = default;
};

}  // namespace hal0
