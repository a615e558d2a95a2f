"""How the layers of a model.json are wired."""


def wires(layers):
    """For each layer the places of those that it reads: (source, other), -1 being the input and None
    no second summand."""
    places, found = {}, []
    for place, layer in enumerate(layers):
        source = places[layer["from"]] if "from" in layer else place - 1
        other = places[layer["with"]] if "with" in layer else None
        found.append((source, other))
        places[layer["name"]] = places[layer["name"] + "_relu"] = place
    return found
