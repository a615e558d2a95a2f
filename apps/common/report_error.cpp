#include "apps/common/report_error.hpp"

#include <filesystem>
#include <iostream>
#include <new>

#include "core/base/error.hpp"

namespace espalier::apps {
namespace {

int report(const std::string& program, ErrorKind kind, const std::string& message) {
  std::cerr << program << ": " << message << '\n';
  return static_cast<int>(kind);
}

}  // namespace

int report_error(const std::string& program) {
  try {
    throw;
  } catch (const Error& error) {
    return report(program, error.kind(), error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(program, ErrorKind::kIo, error.path1().string() + ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    return report(program, ErrorKind::kInternal, "out of memory");
  } catch (const std::exception& error) {
    return report(program, ErrorKind::kInternal, std::string("internal error: ") + error.what());
  }
}

}  // namespace espalier::apps
