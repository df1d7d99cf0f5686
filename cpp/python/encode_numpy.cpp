// NumPy's arrays and scalars -> JSON text; see encode_numpy.hpp.
//
// May know: json/writer, the CPython API with its buffer protocol. Promises: native recursion is as deep as an array has
// dimensions (64 at most).

#include "encode_numpy.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "../json/rfc3339.hpp"
#include "../json/writer.hpp"

namespace fastws::python {
namespace {

using Kind = Foreign::Kind;

/// A view of an object's memory, given back at the end.
class View {
 public:
  explicit View(PyObject* object) : well_(PyObject_GetBuffer(object, &buffer_, PyBUF_FULL_RO) == 0) {}
  ~View() {
    if (well_) PyBuffer_Release(&buffer_);
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  bool well() const noexcept { return well_; }
  const Py_buffer& buffer() const noexcept { return buffer_; }

 private:
  Py_buffer buffer_{};
  bool well_;
};

template <class Number>
Number load(const char* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

// -- One element: false = it is to be refused ---------------------------------------------------------------------------

template <class Number>
bool put_integer(json::Text& out, const char* at) {
  const Number number = load<Number>(at);
  if (number > static_cast<Number>(std::numeric_limits<std::int64_t>::max())) {  // only of the unsigned kind
    char* const start = out.room(json::longest_integer + 1);
    char* const end = json::put_unsigned(start, static_cast<std::uint64_t>(number));
    *end = ',';
    out.set_end(end + 1);
  } else {
    json::write_integer(out, static_cast<std::int64_t>(number), ',');
  }
  return true;
}

bool put_bool(json::Text& out, const char* at) {
  out.put(load<std::uint8_t>(at) != 0 ? "true," : "false,");
  return true;
}

bool put_double(json::Text& out, const char* at) {
  const auto number = load<double>(at);
  if (std::isfinite(number)) json::write_double(out, number, ',');
  return std::isfinite(number);
}

bool put_single(json::Text& out, float number) {
  if (std::isfinite(number)) json::write_float(out, number, ',');
  return std::isfinite(number);
}

bool put_float(json::Text& out, const char* at) { return put_single(out, load<float>(at)); }

/// IEEE 754 binary16: a sign, five bits of exponent, ten of fraction.
float half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  float size = 0;
  if (exponent == 31) {
    size = bits & 1023 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  } else {
    size = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  }
  return bits & 0x8000 ? -size : size;
}

bool put_half(json::Text& out, const char* at) { return put_single(out, half(load<std::uint16_t>(at))); }

// -- Times --------------------------------------------------------------------------------------------------------------

/// What one step of a datetime64 is: months, or seconds, or a part of a second.
struct Unit {
  std::int64_t count = 1;    // steps of the unit below
  std::int64_t months = 0;   // 12, 1, or 0 = counted in time
  std::int64_t seconds = 1;  // of one, or
  std::int64_t parts = 1;    // how many make a second
};

/// From a dtype's text, as "<M8[25us]"; nothing for one without a unit, which is only NaT's.
std::optional<Unit> unit_of(std::string_view text) {
  const std::size_t open = text.find('[');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view name = text.substr(open + 1, text.size() - open - 2);
  Unit unit;
  std::int64_t count = 0;
  for (; !name.empty() && name[0] >= '0' && name[0] <= '9'; name.remove_prefix(1))
    count = count * 10 + (name[0] - '0');
  if (count != 0) unit.count = count;
  constexpr std::int64_t thousand = 1000;
  if (name == "Y") return unit.months = 12, unit;
  if (name == "M") return unit.months = 1, unit;
  if (name == "W") return unit.seconds = 604800, unit;
  if (name == "D") return unit.seconds = 86400, unit;
  if (name == "h") return unit.seconds = 3600, unit;
  if (name == "m") return unit.seconds = 60, unit;
  if (name == "s") return unit;
  for (const std::string_view part : {"ms", "us", "ns", "ps", "fs", "as"}) {
    unit.parts *= thousand;
    if (name == part) return unit;
  }
  return std::nullopt;
}

std::int64_t floor_div(std::int64_t number, std::int64_t by) {
  return number / by - (number % by < 0 ? 1 : 0);
}

struct Moment {
  std::int64_t days = 0;  // since 1970-01-01
  int second = 0;         // of the day
  int microsecond = 0;
  std::int64_t months = 0;  // since 1970-01, instead of days
};

/// nothing = beyond what can be reckoned with.
std::optional<Moment> moment_of(std::int64_t value, const Unit& unit) {
  Moment moment;
  std::int64_t steps = 0;
  if (__builtin_mul_overflow(value, unit.count, &steps)) return std::nullopt;
  if (unit.months != 0) {
    if (__builtin_mul_overflow(steps, unit.months, &moment.months)) return std::nullopt;
    return moment;
  }
  std::int64_t seconds = 0;
  if (__builtin_mul_overflow(floor_div(steps, unit.parts), unit.seconds, &seconds)) return std::nullopt;
  const std::int64_t part = steps - floor_div(steps, unit.parts) * unit.parts;  // of a second
  moment.microsecond = static_cast<int>(unit.parts < 1'000'000 ? part * (1'000'000 / unit.parts)
                                                               : part / (unit.parts / 1'000'000));
  moment.days = floor_div(seconds, 86400);
  moment.second = static_cast<int>(seconds - moment.days * 86400);
  return moment;
}

struct Date {
  std::int64_t year;
  int month;
  int day;
};

/// The date of the proleptic Gregorian calendar. Years begin in March here, so that the leap day is a year's last, and 400
/// of them are 146097 days. The count must be some thousand years from overflow.
Date date_of(std::int64_t days_since_1970) {
  const std::int64_t days = days_since_1970 + 719468;  // since 0000-03-01
  const std::int64_t era = floor_div(days, 146097);
  const auto of_era = static_cast<int>(days - era * 146097);
  const int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int month = (5 * of_year + 2) / 153;  // 0 = March
  const int day = of_year - (153 * month + 2) / 5 + 1;
  const bool next_year = month >= 10;
  return {era * 400 + year_of_era + next_year, next_year ? month - 9 : month + 3, day};
}

bool put_time(json::Text& out, std::int64_t value, const std::optional<Unit>& unit) {
  if (value == std::numeric_limits<std::int64_t>::min()) {  // NaT
    out.put("null,");
    return true;
  }
  const std::optional<Moment> moment = unit ? moment_of(value, *unit) : std::nullopt;
  constexpr std::int64_t ten_thousand_years = 3'660'000;
  if (!moment || moment->days > ten_thousand_years || moment->days < -ten_thousand_years) return false;
  Date date{1970 + floor_div(moment->months, 12), 1, 1};
  if (unit->months != 0) {
    date.month = static_cast<int>(moment->months - floor_div(moment->months, 12) * 12) + 1;
  } else {
    date = date_of(moment->days);
  }
  if (date.year < 0 || date.year > 9999) return false;
  char* at = out.room(json::longest_time);
  *at++ = '"';
  at = json::put_date(at, static_cast<int>(date.year), date.month, date.day, 'T');
  at = json::put_clock(at, moment->second / 3600, moment->second / 60 % 60, moment->second % 60,
                       moment->microsecond);
  at[0] = '"';
  at[1] = ',';
  out.set_end(at + 2);
  return true;
}

// -- Arrays -------------------------------------------------------------------------------------------------------------

/// Writes every element of a buffer; `put` answers false for one that can not be written, and `where` then tells which.
template <class Put>
bool put_elements(json::Text& out, const Py_buffer& view, int dimension, const char* at, const Put& put,
                  std::string& where) {
  if (dimension == view.ndim) return put(out, at);
  const Py_ssize_t count = view.shape[dimension];
  out.put('[');
  for (Py_ssize_t i = 0; i < count; ++i, at += view.strides[dimension]) {
    if (put_elements(out, view, dimension + 1, at, put, where)) continue;
    where.insert(0, "[" + std::to_string(i) + "]");
    return false;
  }
  out.put_over_comma(']');
  out.put(',');
  return true;
}

template <class Put>
bool put_all(json::Text& out, const Py_buffer& view, const Put& put, std::string& where) {
  return put_elements(out, view, 0, static_cast<const char*>(view.buf), put, where);
}

using PutOne = bool (*)(json::Text& out, const char* at);

/// nullptr = a kind of number that JSON has no text for, or that C++ has no type for.
PutOne number_writer(char kind, Py_ssize_t size) {
  if (kind == 'b') return put_bool;
  if (kind == 'i') {
    return size == 8   ? put_integer<std::int64_t>
           : size == 4 ? put_integer<std::int32_t>
           : size == 2 ? put_integer<std::int16_t>
                       : put_integer<std::int8_t>;
  }
  if (kind == 'u') {
    return size == 8   ? put_integer<std::uint64_t>
           : size == 4 ? put_integer<std::uint32_t>
           : size == 2 ? put_integer<std::uint16_t>
                       : put_integer<std::uint8_t>;
  }
  if (kind == 'f' && size == 8) return put_double;
  if (kind == 'f' && size == 4) return put_float;
  if (kind == 'f' && size == 2) return put_half;
  return nullptr;
}

Foreign refused(std::string why, std::string where) {
  return {Kind::kRefused, nullptr, PyExc_ValueError, std::move(why), std::move(where)};
}

Foreign encode_numbers(PyObject* object, char kind, json::Text& out) {
  const View view(object);
  if (!view.well()) return {Kind::kFailed};
  const PutOne put = number_writer(kind, view.buffer().itemsize);
  if (put == nullptr) return {};
  std::string where;
  if (put_all(out, view.buffer(), put, where)) return {Kind::kWritten};
  return refused("Out of range float values are not JSON compliant: nan or inf", std::move(where));
}

Foreign encode_times(PyObject* object, const Owned& dtype, json::Text& out) {
  const Owned text(PyObject_GetAttrString(dtype.get(), "str"));
  const char* const name = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  if (name == nullptr) return {Kind::kFailed};
  // Times have no buffers; the integers that they are do.
  const Owned numbers(PyObject_CallMethod(object, "view", "s", "i8"));
  if (!numbers) return {Kind::kFailed};
  const View view(numbers.get());
  if (!view.well()) return {Kind::kFailed};
  const std::optional<Unit> unit = unit_of(name);
  std::string where;
  const auto put = [&unit](json::Text& to, const char* at) {
    return put_time(to, load<std::int64_t>(at), unit);
  };
  if (put_all(out, view.buffer(), put, where)) return {Kind::kWritten};
  return refused("a datetime64 outside the years 0 to 9999 has no text of RFC 3339", std::move(where));
}

// -- What is NumPy's ----------------------------------------------------------------------------------------------------

struct Classes {
  PyObject* array;
  PyObject* scalar;
};

/// nullptr without an exception = nobody has imported numpy, or not all of it yet.
const Classes* classes() {
  static const Classes* kept = nullptr;  // for the life of the process, as numpy itself
  if (kept != nullptr) return kept;
  Owned name(PyUnicode_FromString("numpy"));
  const Owned module(name ? PyImport_GetModule(name.get()) : nullptr);
  if (!module) return nullptr;
  Owned array(PyObject_GetAttrString(module.get(), "ndarray"));
  Owned scalar(array ? PyObject_GetAttrString(module.get(), "generic") : nullptr);
  if (!scalar) {
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return nullptr;
  }
  if (!PyType_Check(array.get()) || !PyType_Check(scalar.get())) return nullptr;
  if (kept == nullptr) kept = new Classes{array.release(), scalar.release()};
  return kept;
}

Owned native_bytes(PyObject* object, PyObject* dtype) {
  const Owned native(PyObject_CallMethod(dtype, "newbyteorder", "s", "="));
  return Owned(native ? PyObject_CallMethod(object, "astype", "O", native.get()) : nullptr);
}

Foreign encode_own(PyObject* object, json::Text& out) {
  const Owned dtype(PyObject_GetAttrString(object, "dtype"));
  const Owned kind_text(dtype ? PyObject_GetAttrString(dtype.get(), "kind") : nullptr);
  const Owned native(kind_text ? PyObject_GetAttrString(dtype.get(), "isnative") : nullptr);
  const char* const kind = native ? PyUnicode_AsUTF8(kind_text.get()) : nullptr;
  if (kind == nullptr) return {Kind::kFailed};
  if (*kind == 'O' || *kind == 'U') {
    Owned list(PyObject_CallMethod(object, "tolist", nullptr));
    return list ? Foreign{Kind::kValue, std::move(list)} : Foreign{Kind::kFailed};
  }
  if (std::string_view("biufM").find(*kind) == std::string_view::npos) return {};
  if (native.get() != Py_True) {
    Owned swapped = native_bytes(object, dtype.get());
    return swapped ? Foreign{Kind::kValue, std::move(swapped)} : Foreign{Kind::kFailed};
  }
  return *kind == 'M' ? encode_times(object, dtype, out) : encode_numbers(object, *kind, out);
}

}  // namespace

Foreign encode_numpy(PyObject* object, json::Text& out) {
  const Classes* const known = classes();
  if (known == nullptr) return {PyErr_Occurred() != nullptr ? Kind::kFailed : Kind::kUnknown};
  PyTypeObject* const type = Py_TYPE(object);
  if (reinterpret_cast<PyObject*>(type) != known->array &&
      PyType_IsSubtype(type, reinterpret_cast<PyTypeObject*>(known->scalar)) == 0) {
    return {};
  }
  return encode_own(object, out);
}

}  // namespace fastws::python
