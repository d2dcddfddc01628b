#pragma once
// Code of the network against a Hub on this machine (tests/support/hub/).

#include <cstdlib>
#include <gtest/gtest.h>

#include "common/net/hub_client.h"
#include "tests/support/hub_server.h"

namespace lq::net {

/// Collects a body.
struct Collected : BodySink {
  bool begin(const HttpHead&) override {
    ++begins;
    return wanted;
  }
  bool data(std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.size() < enough;
  }

  std::string text;
  bool wanted = true;
  std::size_t enough = ~std::size_t{0};
  int begins = 0;
};

class HubTest : public ::testing::Test {
 protected:
  HubTest() { ::setenv("no_proxy", "127.0.0.1", 1); }

  /// Attempts come at once, and what they report is kept.
  void start() {
    hub_.start();
    access_.endpoint = {*Url::parse(hub_.endpoint()), true};
    access_.http.user_agent = "test/1";
    access_.patience.first_wait = 0.001;
    access_.patience.announce = [this](const std::string& why, double) { waits_.push_back(why); };
  }
  RepoFile file_of(const std::string& path) {
    HubClient client(access_);
    for (const RepoFile& file : client.files("org/model", testing::kCommit)) {
      if (file.path == path) return file;
    }
    ADD_FAILURE() << path << " is not in the list";
    return {};
  }
  std::string waits() const {
    std::string all;
    for (const std::string& why : waits_) all += why + "\n";
    return all;
  }

  testing::HubServer hub_;
  HubAccess access_;
  std::vector<std::string> waits_;
};

}  // namespace lq::net
