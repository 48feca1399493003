# What `cmake --install` puts where, for the Debian package (debian/) and for those who build on the Pi itself.
# Configuration is in /etc/rivulet whatever the prefix, as that is where the program looks.
include(GNUInstallDirs)

set(RIVULET_UNIT_DIR "lib/systemd/system" CACHE STRING "Where systemd's units go, below the prefix")
set(docdir ${CMAKE_INSTALL_DATAROOTDIR}/doc/rivulet)

# rivulet_configure(SOURCE TARGET REGEX REPLACEMENT): the text of a file with something replaced.
function(rivulet_configure source target regex replacement)
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(REGEX REPLACE "${regex}" "${replacement}" text "${text}")
  file(CONFIGURE OUTPUT ${target} CONTENT "${text}" @ONLY)
endfunction()

install(TARGETS rivulet RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Man pages and completion are made from docs/, on the machine that builds.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_Interpreter_FOUND)
  set(manual ${PROJECT_BINARY_DIR}/manual)
  set(man_pages ${manual}/rivulet.1 ${manual}/rivulet-node.yaml.5 ${manual}/rivulet-pipeline.yaml.5)
  file(GLOB generators CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scripts/lib/manual/*.py)
  file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md)
  add_custom_command(
    OUTPUT ${man_pages} ${manual}/rivulet
    COMMAND Python3::Interpreter -B ${PROJECT_SOURCE_DIR}/scripts/man_pages.py --version ${PROJECT_VERSION} ${manual}
    COMMAND Python3::Interpreter -B ${PROJECT_SOURCE_DIR}/scripts/completion.py ${manual}/rivulet
    DEPENDS ${generators} ${documents} ${PROJECT_SOURCE_DIR}/scripts/man_pages.py
            ${PROJECT_SOURCE_DIR}/scripts/completion.py
    COMMENT "Making man pages and completion"
    VERBATIM)
  add_custom_target(manual ALL DEPENDS ${man_pages})
  foreach(section 1 5)
    set(pages ${man_pages})
    list(FILTER pages INCLUDE REGEX "\\.${section}$")
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endforeach()
  install(FILES ${manual}/rivulet DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
else()
  message(STATUS "No Python 3 here: man pages and bash completion will not be made")
endif()

# The units name the program by its full path.
file(GLOB units CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/systemd/*.service)
foreach(unit IN LISTS units)
  get_filename_component(name ${unit} NAME)
  rivulet_configure(${unit} ${PROJECT_BINARY_DIR}/installed/units/${name}
                    "/usr/bin/rivulet" "${CMAKE_INSTALL_FULL_BINDIR}/rivulet")
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/installed/units/ DESTINATION ${RIVULET_UNIT_DIR})
install(FILES ${PROJECT_SOURCE_DIR}/systemd/rivulet.sysusers DESTINATION lib/sysusers.d RENAME rivulet.conf)
install(FILES ${PROJECT_SOURCE_DIR}/systemd/rivulet.tmpfiles DESTINATION lib/tmpfiles.d RENAME rivulet.conf)

# Editors find the schemas from any folder: the first line of each YAML file names its schema.
install(FILES config/node.schema.json config/pipeline.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/rivulet)
function(rivulet_yaml source target)
  rivulet_configure(${PROJECT_SOURCE_DIR}/${source} ${target} "\\$schema=[./]*([a-z]+\\.schema\\.json)"
                    "$schema=${CMAKE_INSTALL_FULL_DATADIR}/rivulet/\\1")
endfunction()
rivulet_yaml(config/node.yaml ${PROJECT_BINARY_DIR}/installed/etc/node.yaml)
rivulet_yaml(config/demo.yaml ${PROJECT_BINARY_DIR}/installed/etc/pipelines/demo.yaml)
# What somebody has configured stays as it is.
install(CODE "
  if(EXISTS \"\$ENV{DESTDIR}/etc/rivulet/node.yaml\")
    message(STATUS \"Kept: \$ENV{DESTDIR}/etc/rivulet\")
  else()
    file(INSTALL \"${PROJECT_BINARY_DIR}/installed/etc/\" DESTINATION /etc/rivulet)
  endif()")
foreach(example can-frames engine-health temperature)
  rivulet_yaml(config/pipelines/${example}.yaml ${PROJECT_BINARY_DIR}/installed/examples/${example}.yaml)
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/installed/examples/ DESTINATION ${docdir}/examples/pipelines)

install(FILES docs/operations.md docs/pipelines.md docs/limits.md docs/architecture.md
        DESTINATION ${docdir})
install(FILES config/mosquitto.conf.example DESTINATION ${docdir}/examples RENAME mosquitto.conf)
