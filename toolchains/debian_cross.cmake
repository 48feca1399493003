# What the cross builds share. The toolchain file of an architecture sets rivulet_arch (Debian's
# name of it), rivulet_triplet and rivulet_cpu_flags, and includes this.
#
# Headers and libraries come from the sysroot that scripts/sysroot makes (RIVULET_SYSROOT), compiler
# and C++ library from Debian's g++-<triplet>. The machine that builds needs no packages of the
# foreign architecture.
set(CMAKE_SYSTEM_NAME Linux)
set(RIVULET_ARCH ${rivulet_arch})

set(RIVULET_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../build-sysroot/${rivulet_arch}"
    CACHE PATH "Root of the foreign Debian, made by scripts/sysroot ${rivulet_arch}")
# What CMake tries out while it configures is built the same way.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES RIVULET_SYSROOT)
get_filename_component(rivulet_sysroot "${RIVULET_SYSROOT}" REALPATH)
if(NOT EXISTS "${rivulet_sysroot}/usr/include")
  message(FATAL_ERROR "There is no sysroot in ${rivulet_sysroot}. Make it: scripts/sysroot ${rivulet_arch}")
endif()
set(CMAKE_SYSROOT "${rivulet_sysroot}")
set(CMAKE_LIBRARY_ARCHITECTURE ${rivulet_triplet})

set(CMAKE_C_COMPILER ${rivulet_triplet}-gcc)
set(CMAKE_CXX_COMPILER ${rivulet_triplet}-g++)
set(CMAKE_C_FLAGS_INIT "${rivulet_cpu_flags}")
set(CMAKE_CXX_FLAGS_INIT "${rivulet_cpu_flags}")

set(CMAKE_FIND_ROOT_PATH "${rivulet_sysroot}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${rivulet_sysroot}")
set(ENV{PKG_CONFIG_LIBDIR}
    "${rivulet_sysroot}/usr/lib/${rivulet_triplet}/pkgconfig:${rivulet_sysroot}/usr/share/pkgconfig")

# Programs of the target, tests above all, run under qemu where it is installed.
find_program(RIVULET_QEMU NAMES ${rivulet_qemu}-static ${rivulet_qemu})
if(RIVULET_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${RIVULET_QEMU};-L;${rivulet_sysroot}")
endif()
