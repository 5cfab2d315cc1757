# One helper for every module, so that a module's CMakeLists.txt says only what is its own.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
# Debian ships these without complete CMake packages; pkg-config names are the stable ones.
pkg_check_modules(SPDLOG REQUIRED IMPORTED_TARGET spdlog)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
# Its flags are those of GLib, which the precompiled header does not have.
set_target_properties(PkgConfig::GMIME PROPERTIES INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(YARA REQUIRED IMPORTED_TARGET yara)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
find_library(AUPARSE_LIBRARY auparse REQUIRED)
find_library(DATE_TZ_LIBRARY date-tz REQUIRED)
find_package(absl REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)

find_program(CCACHE ccache)
if(CCACHE AND NOT MAILWARDEN_COVERAGE)
  # A precompiled header is a cache hit only when ccache may ignore its time stamp.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
endif()

add_library(mailwarden_flags INTERFACE)
# Some libraries ask for -pthread, and one flag more or less would spoil the precompiled header.
target_compile_options(mailwarden_flags INTERFACE -pthread)
# A designated initializer that leaves an option at its default is how options are meant to be set.
target_compile_options(mailwarden_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-missing-field-initializers -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # When it optimizes, g++ 12 sees overflows in its own std::string and uninitialized parts of its own
  # std::variant that are not there.
  target_compile_options(mailwarden_flags INTERFACE -Wno-stringop-overflow -Wno-restrict
    -Wno-array-bounds -Wno-maybe-uninitialized -Wno-stringop-overread)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # A file that is compiled with others looks to g++ as if it were a header.
  target_compile_options(mailwarden_flags INTERFACE -Wno-subobject-linkage)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # libstdc++ 12 uses in std::stable_sort what it calls deprecated.
  target_compile_options(mailwarden_flags INTERFACE -Wno-deprecated-declarations)
endif()
target_link_libraries(mailwarden_flags INTERFACE Threads::Threads)
if(CCACHE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(mailwarden_flags INTERFACE -fpch-preprocess)
endif()
if(MAILWARDEN_FUZZ)
  target_compile_options(mailwarden_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MAILWARDEN_SANITIZE)
  target_compile_options(mailwarden_flags INTERFACE -fsanitize=${MAILWARDEN_SANITIZE})
  target_link_options(mailwarden_flags INTERFACE -fsanitize=${MAILWARDEN_SANITIZE})
  if(MAILWARDEN_SANITIZE MATCHES undefined)
    # Checks before each access, which take three fifths of the time to compile: what they find AddressSanitizer
    # finds when it does harm, but for alignment, which x86 does not ask for.
    target_compile_options(mailwarden_flags INTERFACE
      -fno-sanitize=null,alignment,object-size,vptr)
  endif()
  if(MAILWARDEN_SANITIZE STREQUAL thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Asio has fences, which g++ warns that it does not follow.
    target_compile_options(mailwarden_flags INTERFACE -Wno-tsan)
  endif()
else()
  target_compile_options(mailwarden_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_compile_definitions(mailwarden_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
  target_link_options(mailwarden_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(MAILWARDEN_COVERAGE)
  target_compile_options(mailwarden_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(mailwarden_flags INTERFACE --coverage)
endif()

# For programs whose threads hand their work on to another one, as the daemon's do to its core: what
# one thread took and another gives back is dear to malloc() of glibc. A sanitizer brings its own.
add_library(mailwarden_malloc INTERFACE)
if(NOT MAILWARDEN_SANITIZE AND NOT MAILWARDEN_FUZZ)
  target_link_libraries(mailwarden_malloc INTERFACE PkgConfig::JEMALLOC)
endif()

# A target of its own for the precompiled header: one compiled with a library's definitions would not
# serve the modules that lack them.
add_library(standard STATIC ${CMAKE_SOURCE_DIR}/cmake/standard.cc)
target_link_libraries(standard PRIVATE mailwarden_flags)
target_precompile_headers(standard PRIVATE ${CMAKE_SOURCE_DIR}/cmake/standard.h)

# add_module(NAME DEPS other modules... LIBS third-party targets...)
# Makes the static library `NAME` from every .cc of the folder. LIBS stay private: no other module
# may see a third-party header.
function(add_module name)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc
    ${CMAKE_CURRENT_SOURCE_DIR}/*/*.cc)
  if(NOT sources)
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC mailwarden_flags ${arg_DEPS} PRIVATE ${arg_LIBS})
  target_precompile_headers(${name} REUSE_FROM standard)
endfunction()

# embed_files(NAME files...)
# Makes a library `NAME` whose header NAME.h offers each file's text as a std::string_view, named by
# the file with its dots as underscores: console::index_html. The programs then need no data folder.
function(embed_files name)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  set(text "#pragma once\n#include <string_view>\nnamespace mailwarden::${name} {\n")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(symbol ${file} NAME)
    string(REPLACE "." "_" symbol ${symbol})
    file(READ ${file} content)
    string(APPEND text
      "inline constexpr std::string_view ${symbol} = R\"embedded(${content})embedded\";\n")
  endforeach()
  string(APPEND text "}  // namespace mailwarden::${name}\n")
  file(GENERATE OUTPUT ${folder}/${name}.h CONTENT "${text}")
  add_library(${name} INTERFACE)
  target_include_directories(${name} INTERFACE ${folder})
endfunction()

# add_module_tests(NAME DEPS modules... LIBS third-party targets...)
# Makes `NAME_test` from every *_test.cc of the folder and registers each case with ctest.
function(add_module_tests name)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name}_test PRIVATE ${arg_DEPS} ${arg_LIBS} GTest::gtest_main GTest::gmock)
  target_precompile_headers(${name}_test REUSE_FROM standard_test)
  gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES PROPERTIES TIMEOUT 600
    TEST_PREFIX ${name}. PROPERTIES ENVIRONMENT
    "MAILWARDEN_SOURCE=${CMAKE_SOURCE_DIR};MAILWARDEN_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endfunction()

# add_postgres_tests(NAME FILTER)
# Runs those cases of NAME_test again, on the PostgreSQL that tests/CMakeLists.txt has ctest start.
function(add_postgres_tests name filter)
  add_test(NAME postgres.${name} COMMAND ${name}_test --gtest_filter=${filter} --gtest_brief=1)
  set_tests_properties(postgres.${name} PROPERTIES FIXTURES_REQUIRED postgres TIMEOUT 1500 ENVIRONMENT
    "MAILWARDEN_SOURCE=${CMAKE_SOURCE_DIR};MAILWARDEN_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};MAILWARDEN_POSTGRES=${MAILWARDEN_POSTGRES}")
endfunction()
