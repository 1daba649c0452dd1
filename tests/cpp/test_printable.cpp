// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/printable.hpp"

#include "support.hpp"

using laminar::printable;

TEST_CASE("printable: texts stay as they are") {
  for (const char* text : {"", "dense/kernel", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "a\\x1b"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("printable: controls, marks of direction and broken UTF-8 become escapes") {
  CHECK(printable("a\x1B[31m\n\t\x7F") == "a\\x1b[31m\\x0a\\x09\\x7f");
  CHECK(printable("\xC2\x9B") == "\\x9b");                           // the control that ESC [ is short for
  CHECK(printable("\xE2\x80\xAE\xE2\x81\xA6") == "\\u202e\\u2066");  // right to left, isolated
  CHECK(printable("\xF3\xA0\x80\x81") == "\\U000e0001");
  CHECK(printable("\xFFz\xC3") == "\\xffz\\xc3");
  CHECK(printable("\xC0\x80") == "\\xc0\\x80");           // overlong
  CHECK(printable("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable(printable("\x1B")) == "\\x1b");
}
