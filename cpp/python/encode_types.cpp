// The types of the standard library that JSON does not know; see encode_types.hpp.
//
// May know: json/writer, the CPython API and its datetime capsule. Promises: RFC 3339 times; nothing is
// imported before the first object of such a type, or of an unknown one, is met.

#include "encode_types.hpp"

#include <datetime.h>

#include <cstdint>
#include <string_view>

#include "../json/rfc3339.hpp"
#include "../json/writer.hpp"
#include "encode_numpy.hpp"

namespace fastws::python {
namespace {

/// Classes and names, imported once and kept for the life of the process.
struct Known {
  PyDateTime_CAPI* times;
  PyObject* enum_class;
  PyObject* uuid_class;
  PyObject* instance_field;  // dataclasses._FIELD: how a field of instances is marked
  PyObject* fields_name;
  PyObject* field_type_name;
};

PyObject* imported(const char* module, const char* name) {
  const Owned found(PyImport_ImportModule(module));
  return found ? PyObject_GetAttrString(found.get(), name) : nullptr;
}

/// nullptr = an exception is set. An import may let other threads run, so the first to finish wins; a guarded
/// static would wait for the other thread while holding the GIL that it needs.
const Known* known() {
  static const Known* kept = nullptr;
  if (kept != nullptr) return kept;
  Owned enum_class(imported("enum", "Enum"));
  if (!enum_class) return nullptr;
  Owned uuid_class(imported("uuid", "UUID"));
  if (!uuid_class) return nullptr;
  Owned instance_field(imported("dataclasses", "_FIELD"));
  if (!instance_field) return nullptr;
  Owned fields_name(PyUnicode_InternFromString("__dataclass_fields__"));
  Owned field_type_name(PyUnicode_InternFromString("_field_type"));
  if (!fields_name || !field_type_name) return nullptr;
  auto* const times = static_cast<PyDateTime_CAPI*>(PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0));
  if (times == nullptr) return nullptr;
  if (kept == nullptr) {
    kept = new Known{times,
                     enum_class.release(),
                     uuid_class.release(),
                     instance_field.release(),
                     fields_name.release(),
                     field_type_name.release()};
  }
  return kept;
}

/// The attribute, or nullptr without an exception where there is none, or with one.
Owned attribute(PyObject* object, PyObject* name) {
  Owned found(PyObject_GetAttr(object, name));
  if (!found && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
  return found;
}

using json::longest_time;
using json::put_clock;
using json::put_digits;

char* put_date(char* at, PyObject* date, char then) {
  return json::put_date(at, PyDateTime_GET_YEAR(date), PyDateTime_GET_MONTH(date), PyDateTime_GET_DAY(date),
                        then);
}

/// The datetime's offset from UTC. A time zone of pytz is asked for the offset at that time of the year: the
/// one in the object may be the zone's oldest.
Owned offset_of(PyObject* datetime, PyObject* zone) {
  Owned at(Py_NewRef(datetime));
  if (PyObject_HasAttrString(zone, "normalize") != 0 && PyObject_HasAttrString(zone, "convert") == 0) {
    at.reset(PyObject_CallMethod(zone, "normalize", "O", datetime));
    if (!at) return nullptr;
  }
  return Owned(PyObject_CallMethod(at.get(), "utcoffset", nullptr));
}

/// To the nearest minute, which is all that RFC 3339 section 5.8 knows.
char* put_offset(char* at, PyObject* delta) {
  const int seconds = PyDateTime_DELTA_GET_DAYS(delta) * 86400 + PyDateTime_DELTA_GET_SECONDS(delta);
  const int minutes = ((seconds < 0 ? -seconds : seconds) + 30) / 60;
  *at++ = seconds < 0 ? '-' : '+';
  return put_digits(put_digits(at, minutes / 60, 2, ':'), minutes % 60, 2, '"') - 1;
}

bool write_datetime(PyObject* object, const PyDateTime_CAPI& times, json::Text& out) {
  PyObject* const zone = PyDateTime_DATE_GET_TZINFO(object);
  Owned delta;
  if (zone != Py_None && zone != times.TimeZone_UTC) {
    delta = offset_of(object, zone);
    if (!delta) return false;
  }
  char* at = out.room(longest_time);
  *at++ = '"';
  at = put_date(at, object, 'T');
  at = put_clock(at, PyDateTime_DATE_GET_HOUR(object), PyDateTime_DATE_GET_MINUTE(object),
                 PyDateTime_DATE_GET_SECOND(object), PyDateTime_DATE_GET_MICROSECOND(object));
  out.set_end(at);
  if (zone == times.TimeZone_UTC) {
    out.put("+00:00");
  } else if (delta && delta.get() != Py_None) {  // utcoffset() answers None or a timedelta, or raises
    out.set_end(put_offset(at, delta.get()));
  }
  out.put("\",");
  return true;
}

void write_date(PyObject* object, json::Text& out) {
  char* at = out.room(longest_time);
  *at++ = '"';
  out.set_end(put_date(at, object, '"'));
  out.put(',');
}

void write_time(PyObject* object, json::Text& out) {
  char* at = out.room(longest_time);
  *at++ = '"';
  at = put_clock(at, PyDateTime_TIME_GET_HOUR(object), PyDateTime_TIME_GET_MINUTE(object),
                 PyDateTime_TIME_GET_SECOND(object), PyDateTime_TIME_GET_MICROSECOND(object));
  out.set_end(at);
  out.put("\",");
}

bool write_uuid(PyObject* object, json::Text& out) {
  const Owned number(PyObject_GetAttrString(object, "int"));
  const Owned bits(number ? PyLong_FromLong(64) : nullptr);
  const Owned upper(bits ? PyNumber_Rshift(number.get(), bits.get()) : nullptr);
  if (!upper) return false;
  const std::uint64_t halves[2] = {PyLong_AsUnsignedLongLongMask(upper.get()),
                                   PyLong_AsUnsignedLongLongMask(number.get())};
  if (PyErr_Occurred() != nullptr) return false;
  char text[36];
  char* at = text;
  for (unsigned digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) *at++ = '-';
    *at++ = "0123456789abcdef"[(halves[digit / 16] >> (60 - digit % 16 * 4)) & 15];
  }
  json::write_string(out, std::string_view(text, sizeof text), ',');
  return true;
}

Foreign written(bool well) { return {well ? Foreign::Kind::kWritten : Foreign::Kind::kFailed}; }

/// nullptr = failed.
Foreign found(Foreign::Kind kind, Owned object) {
  if (object) return {kind, std::move(object)};
  return {PyErr_Occurred() != nullptr ? Foreign::Kind::kFailed : Foreign::Kind::kUnknown};
}

}  // namespace

Foreign encode_foreign(PyObject* object, json::Text& out) {
  const Known* const names = known();
  if (names == nullptr) return {Foreign::Kind::kFailed};
  PyTypeObject* const type = Py_TYPE(object);
  const PyDateTime_CAPI& times = *names->times;
  if (type == times.DateTimeType) return written(write_datetime(object, times, out));
  if (type == times.DateType) {
    write_date(object, out);
    return written(true);
  }
  if (type == times.TimeType) {
    if (PyDateTime_TIME_GET_TZINFO(object) != Py_None) {
      return {Foreign::Kind::kRefused, nullptr, PyExc_TypeError, "datetime.time must not have tzinfo set"};
    }
    write_time(object, out);
    return written(true);
  }
  auto* const as_object = reinterpret_cast<PyObject*>(type);
  if (as_object == names->uuid_class) return written(write_uuid(object, out));
  if (PyType_IsSubtype(type, reinterpret_cast<PyTypeObject*>(names->enum_class)) != 0) {
    Owned value(PyObject_GetAttrString(object, "value"));
    return value ? found(Foreign::Kind::kValue, std::move(value)) : Foreign{Foreign::Kind::kFailed};
  }
  Owned fields = attribute(as_object, names->fields_name);
  if (fields && PyDict_Check(fields.get())) return found(Foreign::Kind::kFields, std::move(fields));
  return PyErr_Occurred() != nullptr ? Foreign{Foreign::Kind::kFailed} : encode_numpy(object, out);
}

Foreign field_value(PyObject* instance, PyObject* name, PyObject* field) {
  const Known* const names = known();
  if (names == nullptr) return {Foreign::Kind::kFailed};
  const Owned held_name(Py_NewRef(name));
  const Owned type(PyObject_GetAttr(field, names->field_type_name));
  if (!type) return {Foreign::Kind::kFailed};
  if (type.get() != names->instance_field) return {};
  if (PyUnicode_GetLength(name) > 0 && PyUnicode_ReadChar(name, 0) == '_') return {};
  return found(Foreign::Kind::kValue, attribute(instance, name));
}

}  // namespace fastws::python
