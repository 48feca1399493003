# 32-bit ARM: Raspberry Pi 2 and later with Debian's armhf. ARMv7-A with VFPv3-D16, which is what
# Debian's armhf asks of a board; NEON is not assumed. Raspberry Pi 1 and Zero (ARMv6) are too old
# for Debian's armhf.
set(rivulet_arch armhf)
set(rivulet_triplet arm-linux-gnueabihf)
set(rivulet_qemu qemu-arm)
# GCC 7 changed how some structures are passed; everything here is built with GCC 12, so its notes
# say nothing.
set(rivulet_cpu_flags "-march=armv7-a+fp -mfpu=vfpv3-d16 -mfloat-abi=hard -Wno-psabi")
set(CMAKE_SYSTEM_PROCESSOR armv7l)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
