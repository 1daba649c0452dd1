// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/cell_form.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "laminar/base/characters.hpp"
#include "laminar/base/error.hpp"
#include "laminar/files/cells.hpp"
#include "laminar/files/json_members.hpp"
#include "laminar/files/moment.hpp"

namespace laminar {
namespace {

using Kind = CellForm::Kind;

constexpr std::array<std::string_view, 5> kKinds = {"plain", "amount", "date", "time", "duration"};

std::string_view name_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

bool take_front(std::string_view& text, std::string_view what) {
  if (what.empty() || !text.starts_with(what)) return false;
  text = trimmed(text.substr(what.size()));
  return true;
}

bool take_back(std::string_view& text, std::string_view what) {
  if (what.empty() || !text.ends_with(what)) return false;
  text = trimmed(text.substr(0, text.size() - what.size()));
  return true;
}

/// The bytes of what may stand between groups of digits, besides points and commas: a space, also one that
/// does not break or a narrow one, an apostrophe, an underscore.
std::size_t group_mark(std::string_view text) {
  for (const std::string_view mark : {" ", "'", "_", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89", "\xE2\x80\x99"}) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

/// The digits without marks between their groups, and with a point before the fraction; nothing where
/// groups have other lengths than 3, or 2 before the last one, as in India.
std::optional<std::string> ungrouped(std::string_view text, char decimal) {
  std::string out;
  const char other = decimal == '.' ? ',' : '.';
  std::size_t length = 0;  // of the group so far
  std::size_t groups = 0;  // that are complete
  std::string_view mark;   // that separates them
  while (!text.empty() && text.front() != decimal && text.front() != 'e' && text.front() != 'E') {
    if (is_digit(text.front())) {
      out += text.front();
      text.remove_prefix(1);
      ++length;
      continue;
    }
    const std::size_t size = text.front() == other ? 1 : group_mark(text);
    if (size == 0 || length == 0 || length > 3 || (groups > 0 && length < 2)) return {};
    if (groups > 0 && text.substr(0, size) != mark) return {};
    mark = text.substr(0, size);
    text.remove_prefix(size);
    length = 0;
    ++groups;
  }
  if (groups > 0 && length != 3) return {};
  if (!text.empty() && text.front() == decimal) {
    out += '.';
    text.remove_prefix(1);
  }
  return out + std::string(text);
}

std::optional<double> amount(const CellForm& form, std::string_view text) {
  bool negative = false;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    negative = true;
    text = trimmed(text.substr(1, text.size() - 2));
  }
  const auto take_sign = [&] {
    if (take_front(text, "-") || take_front(text, "\xE2\x88\x92")) {
      negative = !negative;
      return true;
    }
    return take_front(text, "+");
  };
  bool sign = take_sign();
  take_front(text, form.prefix);
  if (!sign) sign = take_sign();
  take_back(text, form.suffix);
  double scale = 1;
  if (form.scaled && !text.empty()) {
    struct Scale {
      std::string_view name;
      double factor;
    };
    constexpr Scale kScales[] = {{"bn", 1e9}, {"BN", 1e9}, {"k", 1e3}, {"K", 1e3},  {"m", 1e6},
                                 {"M", 1e6},  {"b", 1e9},  {"B", 1e9}, {"t", 1e12}, {"T", 1e12}};
    const auto* const found =
        std::find_if(std::begin(kScales), std::end(kScales), [&](const Scale& s) { return take_back(text, s.name); });
    if (found != std::end(kScales)) scale = found->factor;
  }
  if (text.empty() || text.front() == '-' || text.front() == '+') return {};
  const std::optional<std::string> plain = ungrouped(text, form.decimal[0]);
  if (!plain) return {};
  const std::optional<double> value = cell_number(*plain);
  if (!value) return {};
  return (negative ? -*value : *value) * scale;
}

/// Where in a cycle something is, as one of the two coordinates on a circle.
double on_circle(std::string_view part, double turns) {
  const double angle = 2 * std::numbers::pi * turns;
  return part.ends_with("sin") ? std::sin(angle) : std::cos(angle);
}

std::optional<double> part_of_date(const CellForm& form, std::string_view cell) {
  const std::optional<Moment> moment = moment_of(cell, form.order);
  if (!moment) return {};
  const std::string_view part = form.part;
  if (part == "year") return moment->year;
  if (part == "days") return static_cast<double>(moment->days()) - form.origin + moment->seconds / kSecondsOfDay;
  if (part.starts_with("month")) return on_circle(part, (moment->month - 1) / 12.0);
  if (part.starts_with("hour")) return on_circle(part, moment->seconds / kSecondsOfDay);
  // 1970-01-01 was a Thursday; weeks begin on Monday.
  const std::int64_t weekday = ((moment->days() + 3) % 7 + 7) % 7;
  return on_circle(part, static_cast<double>(weekday) / 7);
}

std::optional<double> part_of_time(const CellForm& form, std::string_view cell) {
  const std::optional<double> seconds = time_of_day(cell);
  if (!seconds) return {};
  return form.part == "hours" ? *seconds / 3600 : on_circle(form.part, *seconds / kSecondsOfDay);
}

}  // namespace

const std::vector<std::string>& form_parts(Kind kind) {
  static const std::vector<std::string> date = {"days",        "year",        "month sin", "month cos",
                                                "weekday sin", "weekday cos", "hour sin",  "hour cos"};
  static const std::vector<std::string> time = {"hours", "hour sin", "hour cos"};
  static const std::vector<std::string> none;
  return kind == Kind::date ? date : kind == Kind::time ? time : none;
}

bool CellForm::is_missing(std::string_view cell) const {
  return !missing.empty() && !cell.empty() && is_missing_cell(cell, missing);
}

std::optional<double> CellForm::number(std::string_view cell) const {
  switch (kind) {
    case Kind::plain:
      return cell_number(cell);
    case Kind::amount:
      return amount(*this, cell);
    case Kind::date:
      return part_of_date(*this, cell);
    case Kind::time:
      return part_of_time(*this, cell);
    case Kind::duration:
      return duration_of(cell, order);
  }
  return {};
}

CellForm form_from_json(std::string_view text) {
  const Json json = parse_json(text, "form");
  Members members(json, "form");
  CellForm form;
  const std::string kind = members.text("kind");
  const auto* const found = std::find(kKinds.begin(), kKinds.end(), kind);
  if (found == kKinds.end()) fail("form: ", unknown_name("kind", kind, {kKinds.begin(), kKinds.end()}));
  form.kind = static_cast<Kind>(found - kKinds.begin());
  members.read("decimal", form.decimal);
  members.read("prefix", form.prefix);
  members.read("suffix", form.suffix);
  members.read("scaled", form.scaled);
  members.read("order", form.order);
  members.read("part", form.part);
  members.read("origin", form.origin);
  if (members.find("missing") != nullptr) form.missing = members.texts("missing");
  members.finish();
  check_form(form);
  return form;
}

std::string to_json(const CellForm& form) {
  return Json{{"kind", name_of(form.kind)}, {"decimal", form.decimal}, {"prefix", form.prefix},
              {"suffix", form.suffix},      {"scaled", form.scaled},   {"order", form.order},
              {"part", form.part},          {"origin", form.origin},   {"missing", form.missing}}
      .dump();
}

void check_form(const CellForm& form) {
  const auto check = [](const char* what, const std::string& value, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), value) == known.end()) fail("form: ", unknown_name(what, value, known));
  };
  check("decimal", form.decimal, {".", ","});
  if (form.kind == Kind::date) check("order", form.order, {"ymd", "dmy", "mdy"});
  if (form.kind == Kind::duration) check("order", form.order, {"hm", "ms"});
  const std::vector<std::string>& parts = form_parts(form.kind);
  if (!parts.empty()) check("part", form.part, parts);
  if (!std::isfinite(form.origin)) fail("form: origin must be finite, got ", form.origin);
}

}  // namespace laminar
