// What the rest of the program may know of SQLite.
#pragma once

#include <string>

namespace rivulet {

// Of the library in use, as in "3.40.1".
std::string SqliteVersion();

}  // namespace rivulet
