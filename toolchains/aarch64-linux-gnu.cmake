# 64-bit ARM: Raspberry Pi 3, 4, 5, Zero 2 W with a 64-bit Debian. Generic ARMv8-A, so that one
# build runs on all of them; NEON belongs to it. What later cores add (atomics) GCC's helpers find
# out at run time.
set(rivulet_arch arm64)
set(rivulet_triplet aarch64-linux-gnu)
set(rivulet_qemu qemu-aarch64)
set(rivulet_cpu_flags "-march=armv8-a")
set(CMAKE_SYSTEM_PROCESSOR aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
