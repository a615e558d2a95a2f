# Copies the headers of SOURCE to STAGE/espalier, where they name each other as users name them: what is
# "core/tensor/tensor.hpp" in this repository is <espalier/core/tensor/tensor.hpp> in a project that uses
# it, which may have a core, layers or datasets of its own.
set(rooms core layers optim compress datasets)
string(REPLACE ";" "|" any_room "${rooms}")
file(REMOVE_RECURSE "${STAGE}")
foreach(room ${rooms})
  file(GLOB_RECURSE headers RELATIVE "${SOURCE}" "${SOURCE}/${room}/*.hpp")
  foreach(header ${headers})
    file(READ "${SOURCE}/${header}" text)
    string(REGEX REPLACE "#include \"((${any_room})/)" "#include \"espalier/\\1" text "${text}")
    file(WRITE "${STAGE}/espalier/${header}" "${text}")
  endforeach()
endforeach()
