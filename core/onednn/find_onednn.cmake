# The target espalier::onednn: oneDNN, and the OpenMP that it runs on. Read by this project's build and,
# installed, by find_package(espalier).
# Not find_package(dnnl): Debian's configuration demands OpenCL, which we never use.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(DNNL_LIBRARY dnnl)
# We tell GNU OpenMP how many threads oneDNN may use. By its file: clang would link a runtime of its
# own, of which oneDNN never hears.
find_library(GOMP_LIBRARY NAMES libgomp.so.1)
if(DNNL_INCLUDE_DIR AND DNNL_LIBRARY AND GOMP_LIBRARY AND NOT TARGET espalier::onednn)
  add_library(espalier::onednn INTERFACE IMPORTED)
  target_include_directories(espalier::onednn INTERFACE ${DNNL_INCLUDE_DIR})
  target_link_libraries(espalier::onednn INTERFACE ${DNNL_LIBRARY} ${GOMP_LIBRARY})
endif()
